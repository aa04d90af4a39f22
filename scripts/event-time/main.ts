/** `npm run event-time`: the benchmark jobs of event time, each held to a plain recount, with their figures. */

import { UsageError } from "../usage.ts";
import type { Benchmark } from "./benchmark.ts";
import { nexmark } from "./nexmark/nexmark.ts";
import { help, readOptions } from "./options.ts";
import type { Comparison } from "./report.ts";
import { compare, tableOf } from "./report.ts";
import { run } from "./run.ts";
import { ysbOf } from "./ysb/ysb.ts";

const benchmarks: readonly Benchmark[] = [ysbOf(), ysbOf({ readLate: true }), ...nexmark];

const SHOWN = 10;

/** @returns the exit code. @throws UsageError that names the option. */
export async function main(
  args: readonly string[],
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  const names = benchmarks.map(({ name }) => name);
  const options = readOptions(args);
  if (options.help) {
    write(help.replace("NAMES", `one of ${names.join(", ")}`));
    return 0;
  }
  const { job, events, seed, perRequest, shards } = options;
  const chosen = benchmarks.filter(({ name }) => job === undefined || name === job.replace(/^nexmark-/, ""));
  if (chosen.length === 0) throw new UsageError(`--job: one of ${names.join(", ")}, not ${job}`);
  if (options.print) {
    for (const benchmark of chosen)
      for (const { record } of benchmark.events(events, seed)) write(`${JSON.stringify(record)}\n`);
    return 0;
  }
  const comparisons: Comparison[] = [];
  for (const benchmark of chosen) {
    const got = await run(benchmark, {
      events,
      seed,
      perRequest,
      ...(shards === undefined ? {} : { shards }),
    });
    const wanted = benchmark.recount(events, seed, perRequest);
    const comparison = compare(benchmark.name, events, got, wanted);
    comparisons.push(comparison);
    for (const line of comparison.differences.slice(0, SHOWN)) write(`${benchmark.name}: ${line}\n`);
  }
  for (const line of tableOf(comparisons)) write(`${line}\n`);
  return comparisons.some(({ differences }) => differences.length > 0) ? 1 : 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (thrown) {
    console.error(thrown instanceof UsageError ? thrown.message : thrown);
    process.exitCode = thrown instanceof UsageError ? 2 : 1;
  }
}
