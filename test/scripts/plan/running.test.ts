/** The comparison with what runs, as `npm run plan -- --against` makes it. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { main } from "../../../scripts/plan/main.ts";
import { parseDescription, readRunning } from "../../../scripts/plan/running.ts";
import type { Plan } from "../../../src/index.ts";
import { describePlan } from "../../../src/plan.ts";
import { configFolder, largePlan, planOf } from "./jobs.ts";

/** Runs the command for a plan. */
async function run(plan: Plan, ...args: string[]) {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  onTestFinished(() => void write.mockRestore());
  const code = await main(args, configFolder(), async () => plan);
  const text = write.mock.calls.map(([chunk]) => String(chunk)).join("");
  write.mockClear();
  return { code, text };
}

/** A file with what `--json` prints for a plan. */
async function fileOf(plan: Plan): Promise<string> {
  const file = path.join(configFolder(), "running.json");
  writeFileSync(file, (await run(plan, "--json")).text);
  return file;
}

describe("a plan beside what runs", () => {
  it("is told change by change, and fails when it may not follow", async () => {
    const { code, text } = await run(planOf("a", "b"), "--against", await fileOf(planOf("a", "c")));
    expect(code).toBe(1);
    expect(text.split("\n").map((line) => line.replace(/:.*/, ""))).toEqual([
      "REFUSED removed source c",
      "REFUSED removed aggregate c-count",
      "ok      added source b",
      "ok      added aggregate b-count",
      "ok      added step b.key-by",
      "ok      removed step c.key-by",
      "",
    ]);
  });

  it("may be the same, or more", async () => {
    const file = await fileOf(largePlan());
    expect(await run(largePlan(), "--against", file)).toEqual({ code: 0, text: "Nothing changes.\n" });
    const more = await run(planOf("a", "b"), "--against", await fileOf(planOf("a")));
    expect(more).toMatchObject({ code: 0, text: expect.stringMatching(/^ok {6}added source b: /) });
  });

  it("may be of another generation, if that is meant", async () => {
    const file = await fileOf(largePlan());
    const next = largePlan({ generation: 2 });
    expect((await run(next, "--against", file)).code).toBe(1);
    expect((await run(next, "--against", file, "--new-generation")).code).toBe(0);
  });
});

describe("what is no plan", () => {
  it.each([
    ["not JSON", "<html>", "x is no plan: it is not JSON."],
    ["another answer", '{"jobs":[]}', "x is no plan that can be compared (generation: "],
    [
      "a plan with a hole",
      JSON.stringify({ plan: { ...describePlan(planOf("a")), retired: [1] } }),
      "x is no plan that can be compared (retired.0: ",
    ],
  ])("is refused: %s", (_what, text, message) => {
    expect(() => parseDescription(text, "x")).toThrow(message);
  });

  it("is refused: a file that is not there", async () => {
    await expect(readRunning("/nowhere/plan.json", undefined)).rejects.toThrow(
      "/nowhere/plan.json cannot be read",
    );
  });
});
