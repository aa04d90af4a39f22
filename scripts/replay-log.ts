/**
 * `npm run replay-log -- FILE`: replays a web server's log through 10-second windows, in memory, and compares what comes
 * out with a plain recount, line by line: in order, and with lines delivered shuffled, twice and after restarts.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { millisecondsOf } from "../src/duration.ts";
import type { Faults } from "../src/testing/index.ts";
import { differences } from "./replay-log/compare.ts";
import { parseLine, recount } from "./replay-log/recount.ts";
import { replayLog } from "./replay-log/run.ts";

const USAGE = `usage: npm run replay-log -- FILE [--bound 60s,10s] [--window 10s] [--seeds 3] [--shards 4]
  FILE      a log in the Common or Combined Log Format
  --bound   how far lines may be behind, one or more, with commas
  --window  the size of the windows
  --seeds   how many disordered deliveries are tried besides the one in order`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bound: { type: "string", default: "60s,10s" },
    window: { type: "string", default: "10s" },
    seeds: { type: "string", default: "3" },
    shards: { type: "string", default: "4" },
  },
});
const [file] = positionals;
if (file === undefined) {
  console.error(USAGE);
  process.exit(2);
}
const texts = readFileSync(file, "utf8").split("\n").filter(Boolean);
const lines = texts.map(parseLine).filter((line) => line !== undefined);
if (lines.length < texts.length)
  console.log(`${texts.length - lines.length} lines are no log lines: left out`);
const size = millisecondsOf(values.window);
let failed = false;
for (const bound of values.bound.split(",").map((text) => millisecondsOf(text))) {
  const expected = recount(lines, bound, size);
  console.log(
    `${lines.length} lines, ${expected.outOfOrder} earlier than one before them, at most ${expected.furthestBehind / 1000} s behind; bound ${bound / 1000} s: ${expected.late.size} late, ${expected.counts.size} windows and paths`,
  );
  for (let seed = 0; seed <= Number(values.seeds); seed++) {
    const faults: Faults = seed === 0 ? {} : { shuffle: seed, duplicates: true };
    const run = await replayLog(lines, { bound, size, shards: Number(values.shards), faults });
    const found = differences(run, expected);
    const how = seed === 0 ? "in order" : `shuffled ${seed}, each twice`;
    console.log(
      `  ${how}: ${run.late.length} late, ${run.counts.size} windows and paths; ${found.length === 0 ? "as the recount" : `${found.length} differences`}`,
    );
    for (const line of found.slice(0, 10)) console.log(`    ${line}`);
    failed ||= found.length > 0;
  }
}
process.exitCode = failed ? 1 : 0;
