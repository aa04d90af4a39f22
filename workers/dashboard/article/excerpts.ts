/** Excerpts: a few lines of the code that runs, beside the idea that they carry out. */
import type { FilePath } from "./files.ts";

export interface ExcerptOf {
  readonly file: FilePath;
  /** As it stands in the file, to the letter: a test holds it to that. */
  readonly code: string;
}

export const EXCERPTS = {
  synchronous: {
    file: "workers/article/synchronous-counter.ts",
    code: `      await turn;
      if (workMs > 0) await scheduler.wait(workMs);
      return { count: this.#count(url), waitedMs: Date.now() - arrived };`,
  },
  queue: {
    file: "src/engine/event-queue.ts",
    code: `  /** At most \`limits.messages\` messages of at most \`limits.messageBytes\` bytes each, \`limits.sendBytes\` in all. */
  send(messages: readonly string[]): Promise<void>;
  /** What waits in the queue, as far as is known. */
  backlog(): Promise<Backlog>;`,
  },
  event: {
    file: "src/event.ts",
    code: `export interface Event<T> {
  readonly id: string;
  /** Event time, epoch milliseconds. */
  readonly time: number;
  /** Set behind a \`keyBy\`. */
  readonly key?: string;
  readonly data: T;
}`,
  },
  source: {
    file: "workers/jobs/clickstream/click-reader.ts",
    code: `  getEvents(input: unknown, collector: SourceCollector<Click>): void {
    const { url, time, id } = parse(clickSchema, typeof input === "string" ? { url: input.trim() } : input);
    collector.emit({ url }, { time, id });
  }`,
  },
  job: {
    file: "workers/jobs/clickstream/clickstream-job.ts",
    code: `const clicks = clickstream.addSource(new ClickReader("clicks"));

const byUrl = clicks.keyBy((click) => click.url);

byUrl.applyOperator(new PageViewCounter("page-views"));`,
  },
  operator: {
    file: "workers/jobs/clickstream/page-view-counter.ts",
    code: `  create(): number {
    return 0;
  }

  add(count: number): number {
    return count + 1;
  }`,
  },
  loop: {
    file: "src/engine/job-starter.ts",
    code: `    for (;;) {
      // What another run's loop has out may come back: this one ends when nothing can come any more.
      while (queue.waiting === 0) {
        if (!running.sources && queue.size === 0) return;
        await queue.changed;
      }
      await queue.deliver(batchSize, (batch) =>
        stage === undefined ? this.#executor.consume(names.queue, batch) : this.#stages.consume(stage, batch),
      );
    }`,
  },
} as const satisfies Readonly<Record<string, ExcerptOf>>;

export type ExcerptName = keyof typeof EXCERPTS;

/** Without the indentation that all lines share. */
export function dedented(code: string): string {
  const lines = code.split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  const shared = Math.min(...indents);
  return lines.map((line) => line.slice(shared)).join("\n");
}
