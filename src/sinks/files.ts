/**
 * files: keeps events in files of an R2 bucket: NDJSON, gzip, a new file by size and with each hour.
 *
 * ```ts
 * clicks.addSink(files("click-log", { maxBytes: 4_000_000 }))
 * ```
 *
 * A file is named after the batch that it holds, `click-log/2026/11/26/08/0-0000000017.ndjson.gz`: sink, UTC hour in
 * which its first event came, shard and number. A line is an event: `{"id", "time", "key"?, "data"}`.
 *
 * Each event is in the files exactly once. A batch's name and events are fixed before it is first written, and only the
 * first put of a name counts (`If-None-Match: *`): what is written again finds its file there. A put that overwrote
 * would do as well, but for one thing: when it comes late, it would bring back what `eraseKey` has removed meanwhile.
 */
import { span, whole } from "../plan/options.ts";
import type { SinkBatch, SinkBinding, SinkContext } from "../sink.ts";
import { Sink } from "../sink.ts";
import { encodeFile, FILE_TYPE } from "./file-format.ts";
import { fileStoreOf } from "./file-store.ts";

export interface FileSinkOptions {
  /** What the bucket is called in the operator Worker's `env`; `FILES` by default. */
  readonly bucket?: string;
  /** What it is called in the account; by default as the binding, with the project's name: `millrace-files`. */
  readonly bucketName?: string;
  /** A file is closed at about so many bytes of JSON, 100 to 32,000,000; 8,000,000 by default. They pass through memory. */
  readonly maxBytes?: number;
  /** … or so many events; 100,000 by default. */
  readonly maxEvents?: number;
  /** … or when its first event has waited so long, and in any case at the end of the hour; "1 hour" by default. */
  readonly maxTime?: number | string;
  /** gzip, the default, or plain NDJSON. */
  readonly compress?: boolean;
  /** How many shards write side by side, each its own files; 1 by default. */
  readonly shards?: number;
}

/** @throws PlanError when an option is out of its range. */
export function files<T = unknown>(name: string, options: FileSinkOptions = {}): FileSink<T> {
  return new FileSink(name, options);
}

const MOST_BYTES = 32_000_000;

export class FileSink<T> extends Sink<T> {
  override readonly bindings: readonly SinkBinding[];
  readonly bucket: string;
  readonly compress: boolean;

  constructor(name: string, options: FileSinkOptions = {}) {
    const { bucket = "FILES", compress = true, shards = 1 } = options;
    const { bucketName = `millrace-${bucket.toLowerCase().replaceAll("_", "-")}` } = options;
    const bytes = { least: 100, most: MOST_BYTES, otherwise: 8_000_000 };
    const batchBytes = whole(`sink ${name}`, "maxBytes", options.maxBytes, bytes);
    const events = { least: 1, most: 1_000_000, otherwise: 100_000 };
    super(name, {
      shards,
      batchBytes,
      batchEvents: whole(`sink ${name}`, "maxEvents", options.maxEvents, events),
      batchTime: span(`sink ${name}`, "maxTime", options.maxTime, 3_600_000),
      hourly: true,
      // One file on its way out, another that fills.
      bufferBytes: Math.max(16_000_000, 2 * batchBytes),
    });
    this.bucket = bucket;
    this.compress = compress;
    this.bindings = [{ kind: "r2", binding: bucket, name: bucketName }];
  }

  /** A batch that may have been written keeps its name: to change the compression means to rename the sink. */
  override get signature(): string {
    return this.compress ? "files@1" : "files@1:plain";
  }

  /**
   * @throws Error when the store fails, or holds something else under the file's name: the batch is tried again.
   */
  async write(batch: SinkBatch<T>, { env }: SinkContext): Promise<void> {
    const store = fileStoreOf(`sink ${this.name}`, env, this.bucket);
    const key = keyOf(batch, this.compress);
    const content = await digestOf(batch);
    const file = await encodeFile(batch.events, this.compress);
    const written = await store.put(key, file, {
      onlyIf: { etagDoesNotMatch: "*" },
      httpMetadata: { contentType: FILE_TYPE, ...(this.compress ? { contentEncoding: "gzip" } : {}) },
      customMetadata: { batch: batch.id, events: String(batch.events.length), content },
    });
    if (written !== null) return;
    const there = await store.head(key);
    if (there?.customMetadata?.content === content) return;
    throw new Error(
      `sink ${this.name}: ${key} holds another batch, as after the sink's state was lost; move the file away, or rename the sink`,
    );
  }
}

/** `{sink}/{yyyy}/{mm}/{dd}/{hh}/{shard}-{number}.ndjson.gz` */
function keyOf({ operator, opened, shard, number }: SinkBatch<unknown>, compress: boolean): string {
  const hour = new Date(opened).toISOString().slice(0, 13).replace(/[-T]/g, "/");
  return `${operator}/${hour}/${shard}-${String(number).padStart(10, "0")}.ndjson${compress ? ".gz" : ""}`;
}

/** Tells batches apart by the events in them, whatever becomes of the format of a line. */
async function digestOf({ events }: SinkBatch<unknown>): Promise<string> {
  const ids = new TextEncoder().encode(JSON.stringify(events.map(({ id }) => id)));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", ids));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
