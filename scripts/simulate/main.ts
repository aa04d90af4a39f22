/** What `npm run simulate` does: shares the seeds out among threads, and reports. */
import { Worker } from "node:worker_threads";
import { help, readOptions, type SimulateOptions } from "./options.ts";
import { Report } from "./report.ts";
import type { Batch, BatchResult } from "./runner.ts";

const BATCH = 20;

/** @returns the exit code. @throws UsageError as `readOptions` does. */
export async function main(
  args: readonly string[],
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    write(help);
    return 0;
  }
  const report = new Report(options.seeds * options.worlds.length, write);
  const batches = batchesOf(options);
  const threads = Math.min(options.threads, batches.length);
  await Promise.all(Array.from({ length: threads }, () => work(batches, report)));
  return report.end();
}

/** One thread: takes batches until none is left. */
async function work(batches: Batch[], report: Report): Promise<void> {
  const worker = new Worker(new URL("./runner.ts", import.meta.url));
  try {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const result = new Promise<BatchResult>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      worker.postMessage(batch);
      report.add(await result);
      worker.removeAllListeners("error");
    }
  } finally {
    await worker.terminate();
  }
}

function batchesOf({ seeds, from, worlds }: SimulateOptions): Batch[] {
  return worlds.flatMap((world) =>
    Array.from({ length: Math.ceil(seeds / BATCH) }, (_, n) => ({
      world,
      from: from + n * BATCH,
      seeds: Math.min(BATCH, seeds - n * BATCH),
    })),
  );
}
