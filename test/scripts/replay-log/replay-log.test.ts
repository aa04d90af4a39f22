/** A log whose lines are out of order, replayed through windows: the result is the recount's, whatever the queue does. */
import { describe, expect, test } from "vitest";
import { differences } from "../../../scripts/replay-log/compare.ts";
import type { LogLine } from "../../../scripts/replay-log/recount.ts";
import { parseLine, recount } from "../../../scripts/replay-log/recount.ts";
import { replayLog } from "../../../scripts/replay-log/run.ts";
import { Random } from "../../simulation/random.ts";

const SIZE = 10_000;
const START = Date.UTC(2015, 4, 17, 10, 5);

/** Lines that come about every 2 s, up to a minute behind, over some paths of which one is hot. */
function logOf(seed: number, lines: number): LogLine[] {
  const random = new Random(seed);
  return Array.from({ length: lines }, (_, number) => {
    const path = random.below(3) === 0 ? "/" : `/page-${random.below(20)}`;
    return { number, path, time: START + number * 2_000 - random.below(60) * 1_000 + 60_000 };
  });
}

const log = logOf(1, 1_500);

describe.each([
  ["a bound that covers all disorder", 60_000, 0],
  ["a bound that does not", 10_000, 300],
])("%s", (_, bound, leastLate) => {
  const expected = recount(log, bound, SIZE);

  test.each([
    ["in order", { shards: 1 }],
    ["in order, 16 shards", { shards: 16 }],
    ["shuffled, each twice", { faults: { shuffle: 1, duplicates: true } }],
    ["shuffled otherwise, each twice", { faults: { shuffle: 2, duplicates: true } }],
  ])("%s", async (_how, options) => {
    const run = await replayLog(log, { bound, size: SIZE, ...options });
    expect(differences(run, expected)).toEqual([]);
    expect(run.late.length).toBeGreaterThanOrEqual(leastLate);
    expect(run.late.length === 0).toBe(leastLate === 0);
  });
});

test("shards that wake anew after every line change nothing", async () => {
  const short = log.slice(0, 120);
  const run = await replayLog(short, { bound: 5_000, size: SIZE, faults: { restarts: true } });
  const expected = recount(short, 5_000, SIZE);
  expect(expected.late.size).toBeGreaterThan(20);
  expect(differences(run, expected)).toEqual([]);
});

test("a disagreement is told: a line that is missing, one that is late twice, a window that fired again", async () => {
  const expected = recount(log, 10_000, SIZE);
  const run = await replayLog(log.slice(1), { bound: 10_000, size: SIZE });
  expect(differences(run, expected).length).toBeGreaterThan(0);
  const [first = 0] = expected.late;
  const twice = { counts: expected.counts, late: [...expected.late, first], repeated: 1 };
  expect(differences(twice, expected)).toEqual([
    `line ${first + 1}: 2 times late, the recount says 1`,
    "1 windows fired more than once for a path",
  ]);
});

test("lines are read with their offset; what is none is left out", () => {
  const text =
    '10.0.0.1 - - [17/May/2015:10:05:03 +0200] "GET /a?b=1 HTTP/1.1" 200 203023 "http://x/" "agent"';
  expect(parseLine(text, 4)).toEqual({
    number: 4,
    path: "/a?b=1",
    time: Date.UTC(2015, 4, 17, 8, 5, 3),
  });
  expect(parseLine("no log line", 0)).toBeUndefined();
});
