/** Run: replays a log through a job with windows, in memory, on the engine of production. */
import type { SourceCollector, WindowResult } from "../../src/index.ts";
import { count, Job, Source, tumbling } from "../../src/index.ts";
import { type Faults, TestDriver } from "../../src/testing/index.ts";
import type { LogLine } from "./recount.ts";

export interface RunOptions {
  /** Milliseconds. */
  readonly bound: number;
  readonly size: number;
  readonly shards?: number;
  /** What the queue does to the log's lines. */
  readonly faults?: Faults;
}

export interface RunResult {
  /** By `{window's start} {path}`: what its window held when it fired. */
  readonly counts: ReadonlyMap<string, number>;
  /** The numbers of the lines that came out late, as often as they did. */
  readonly late: readonly number[];
  /** Results of a window and path that had one before. */
  readonly repeated: number;
}

class LogReader extends Source<LogLine> {
  getEvents(input: unknown, collector: SourceCollector<LogLine>): void {
    const line = input as LogLine;
    collector.emit(line, { time: line.time });
  }
}

/** Each line is a request of its own, in the order of the log; the last one has the end marker. */
export async function replayLog(lines: readonly LogLine[], options: RunOptions): Promise<RunResult> {
  const { bound, size, shards = 4, faults = {} } = options;
  const job = new Job("log");
  const views = job
    .addSource(new LogReader("lines", { outOfOrderness: bound }))
    .keyBy(({ path }) => path)
    .window(tumbling(size))
    .aggregate("views", count());
  const driver = new TestDriver(job, { shards, faults });
  const results = driver.output<WindowResult<number>>(views);
  const late = driver.output<LogLine>(views.late);
  await driver.replay("lines", ...lines);
  // The end of the log gives the clock back to the source, and that is past all of it.
  await driver.advance("1 minute");
  const counts = new Map<string, number>();
  let repeated = 0;
  for (const { data } of results.read()) {
    const id = `${data.window.start} ${data.key}`;
    if (counts.has(id)) repeated++;
    counts.set(id, data.value);
  }
  return { counts, late: late.read().map(({ data }) => data.number), repeated };
}
