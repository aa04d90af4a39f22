/** `npm run event-time`: what it prints, what it exits with, and that it tells where a run and its recount disagree. */
import { expect, test } from "vitest";
import { main } from "../../../scripts/event-time/main.ts";
import { differences } from "../../../scripts/event-time/recount.ts";
import { compare, tableOf } from "../../../scripts/event-time/report.ts";
import { UsageError } from "../../../scripts/usage.ts";

async function output(...args: string[]): Promise<{ readonly code: number; readonly lines: string[] }> {
  let text = "";
  const code = await main(args, (more) => {
    text += more;
  });
  return { code, lines: text.split("\n").filter(Boolean) };
}

test("a table of one job, or of all", async () => {
  const { code, lines } = await output("--job", "nexmark-q7", "--events", "2000");
  expect(code).toBe(0);
  expect(lines[0]).toMatch(/^job +events +results +late +as recounted +events\/s$/);
  expect(lines[1]).toMatch(/^q7 +2,000 +\d+ +0 +yes +[\d,]+$/);
  expect(lines).toHaveLength(2);
  const all = await output("--events", "1000", "--shards", "2", "--per-request", "100", "--seed", "5");
  const names = ["job", "ysb", "ysb-late", "q5", "q7", "q8", "q11"];
  expect([all.code, all.lines.map((line) => line.split(" ")[0])]).toEqual([0, names]);
});

test("events to be sent to a server", async () => {
  const { code, lines } = await output("--job", "ysb", "--events", "3", "--print");
  expect([code, lines.length]).toEqual([0, 3]);
  expect(JSON.parse(lines[0] as string)).toMatchObject({ ad_id: expect.stringMatching(/^ad-\d+$/) });
  expect((await output("--help")).lines.join(" ")).toContain("one of ysb, ysb-late, q5, q7, q8, q11");
});

test.each([
  [["--job", "q6"], /^--job: one of ysb, .*, not q6$/],
  [["--events", "none"], /^--events: a whole number/],
  [["--per-request", "1001"], /^--per-request: a whole number from 1 to 1000/],
  [["--print"], /^--print: say whose events/],
  [["--nosuch"], /nosuch/],
])("%s is wrong use", async (args, message) => {
  const thrown = await output(...args).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(UsageError);
  expect((thrown as UsageError).message).toMatch(message);
});

test("every disagreement is told, as often as it is", () => {
  expect(differences("result", ["b", "a", "a"], ["a", "b", "a"])).toEqual([]);
  expect(differences("result", ["a", "a", "b"], ["b", "b", "c"])).toEqual([
    "result a: 2 too many",
    "result b: 1 missing",
    "result c: 1 missing",
  ]);
  const got = { results: ["a"], late: ["x"], lateCount: 2, deadLetters: 1, seconds: 2 };
  const compared = compare("ysb", 10, got, { results: ["a"], late: ["y"] });
  expect(compared.differences).toEqual([
    "late x: 1 too many",
    "late y: 1 missing",
    "2 events were counted as late, the recount says 1",
    "1 dead letters",
  ]);
  expect(tableOf([compared])[1]).toMatch(/^ysb +10 +1 +2 +4 differences +5$/);
});
