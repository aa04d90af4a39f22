import { execFile } from "node:child_process";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { sentencesOf } from "../../../scripts/plan/failure.ts";
import { loadPlan } from "../../../scripts/plan/load.ts";
import { main } from "../../../scripts/plan/main.ts";
import { readOptions } from "../../../scripts/plan/options.ts";
import { PlanError } from "../../../src/index.ts";
import { configFolder, planOf } from "./jobs.ts";

function plan(...args: string[]) {
  const script = path.join(import.meta.dirname, "../../../scripts/plan.ts");
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
    execFile(process.execPath, [script, ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  );
}

describe("the command", { timeout: 30_000 }, () => {
  it("prints the plan of the registered jobs from anywhere", async () => {
    const { code, stdout, stderr } = await plan();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("millrace-clicks-dead");
  });

  it("prints the plan of an exercise, and names those there are", async () => {
    const { code, stdout } = await plan("--job", "exercise-6");
    expect({ code, stage: /slow +stage/.test(stdout) }).toEqual({ code: 0, stage: true });
    expect(stdout).toContain("millrace-slow-dead");
    const costs = await plan("--job", "exercise-6", "--events", "1000");
    expect(costs.stdout).toContain("slow");
    expect(await plan("--job", "clickstream")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("exercise-1, exercise-2"),
    });
  });

  it("exits with 2 and one line for wrong use", async () => {
    expect(await plan("--what")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^Unknown option .--what.*\n$/),
    });
  });

  it.each([
    [["--write", "--check"], "--write and --check exclude each other."],
    [["--check", "--events", "1"], "--check and --events exclude each other."],
    [["--keys", "3"], "--keys belongs to an estimate: say --events N as well."],
    [["--rate", "3"], "--rate belongs to an estimate: say --events N as well."],
    [["--events", "1", "--rate", "0"], "--rate 0: give a number above 0"],
    [["--events", "1", "--rate", "often"], "--rate often: give a number above 0"],
    [["--events", "1.5"], "--events 1.5: give a whole number"],
    [["--selectivity", "paid=1"], "--selectivity belongs to an estimate: say --events N as well."],
    [["--events", "1", "--selectivity", "paid"], "--selectivity paid: write it like paid=0.1"],
    [["--events", "1", "--selectivity", "a=1,b=-1"], "--selectivity b=-1: write it like paid=0.1"],
    [["--against", "x", "--json"], "--json and --against exclude each other."],
    [["--job", "exercise-1", "--write"], "--write is about the registered jobs: leave --job out."],
    [["--new-generation"], "--new-generation belongs to a comparison: say --against X as well."],
  ])("refuses %j", (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  it("reads what operators emit", () => {
    expect(
      readOptions(["--events", "1", "--selectivity", "paid=0.1,sizes.large=2"]).workload?.selectivity,
    ).toEqual({
      paid: 0.1,
      "sizes.large": 2,
    });
  });

  it("fails its check for a config that is out of step, and not after writing it", async () => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    onTestFinished(() => void vi.restoreAllMocks());
    const root = configFolder();
    const load = async () => planOf("orders");
    await expect(main(["--check"], root, load)).rejects.toThrow(
      /^wrangler.toml is not .*npm run plan -- --write/,
    );
    expect(await main(["--write"], root, load)).toBe(0);
    expect(await main(["--check"], root, load)).toBe(0);
  });

  it("says in a sentence what is wrong with the jobs", async () => {
    const wrong = loadPlan(() => Promise.reject(new PlanError('two jobs are named "a"; rename one')));
    expect(await wrong.catch(sentencesOf)).toBe(
      'The jobs cannot be planned: two jobs are named "a"; rename one.',
    );
    const broken = loadPlan(() => Promise.reject(new TypeError("x is not a function")));
    expect(await broken.catch(sentencesOf)).toBe(
      "The jobs in workers/jobs/index.ts cannot be loaded: x is not a function",
    );
    const clashing = loadPlan(async () => planOf("a", "a-dead"));
    expect(await clashing.catch(sentencesOf)).toContain("both need the queue millrace-a-dead");
  });
});
