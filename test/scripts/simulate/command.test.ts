/** `npm run simulate`: runs seeds of all worlds in threads, says what they met, and fails when one does. */
import { expect, test } from "vitest";
import { main } from "../../../scripts/simulate/main.ts";
import { readOptions } from "../../../scripts/simulate/options.ts";
import { Report } from "../../../scripts/simulate/report.ts";
import { UsageError } from "../../../scripts/usage.ts";

test("runs the seeds that were asked for in all worlds and counts what they met", {
  timeout: 60_000,
}, async () => {
  const lines: string[] = [];
  const code = await main(["--seeds", "3", "--from", "41", "--threads", "2"], (text) => lines.push(text));
  const text = lines.join("");
  expect(text).toContain("shop: 3 seeds, 0 failed");
  expect(text).toContain("graphs: 3 seeds, 0 failed");
  expect(text).toContain("event-time: 3 seeds, 0 failed");
  expect(text).toMatch(/delivery: duplicated +\d +\d+ %/);
  expect(text).toMatch(/9 seeds, \d+ s, [\d.]+ seeds\/s: all agree with the recount/);
  expect(code).toBe(0);
});

test("a seed that fails is told with how to replay it, and is the exit code", () => {
  const lines: string[] = [];
  const report = new Report(20, (text) => lines.push(text));
  const failures = [{ seed: 17, reason: "seed 17: one was lost" }];
  report.add({ world: "graphs", seeds: 20, struck: { "call lost": 10 }, failures });
  expect(report.end()).toBe(1);
  const text = lines.join("");
  expect(text).toContain("FAILED seed 17: one was lost");
  expect(text).toContain("npm run simulate -- --seeds 1 --from 17 --world graphs");
  expect(text).toContain("1 FAILED");
});

test("options are read, and what makes no sense is refused by its name", () => {
  expect(readOptions(["--seeds", "10000", "--from", "7", "--world", "graphs", "--threads", "2"])).toEqual({
    seeds: 10_000,
    from: 7,
    worlds: ["graphs"],
    threads: 2,
    help: false,
  });
  expect(() => readOptions(["--seeds", "none"])).toThrow(
    new UsageError('--seeds: a whole number from 1 to 1000000, not "none"'),
  );
  expect(() => readOptions(["--world", "moon"])).toThrow(/--world: one of all, shop, graphs/);
  expect(() => readOptions(["--sead", "1"])).toThrow(/--sead/);
});
