/** The shape of health: queues, outboxes, sinks and shards. */
import * as v from "valibot";
import { count, operatorKind, time } from "./shared.ts";

export const outboxSchema = v.strictObject({
  segments: v.pipe(count, v.description("Emitted, and not confirmed by whoever reads it.")),
  bytes: count,
  oldestAgeMs: v.nullable(count),
});

export const sinkSchema = v.strictObject({
  buffered: v.pipe(count, v.description("Events taken and not yet delivered.")),
  bytes: v.pipe(count, v.description("Of those.")),
  delivered: count,
  discarded: v.pipe(
    count,
    v.description("Events that the target rejected, now dead letters, or that were erased."),
  ),
});

export const shardHealthSchema = v.union([
  v.strictObject({
    shard: count,
    applied: v.pipe(count, v.description("Events that have been applied to it, since ever.")),
    keys: count,
    lsn: count,
    checkpointLsn: count,
    busy: v.pipe(
      v.boolean(),
      v.description(
        "It takes nothing in until what it emits or buffers has left, so what is upstream waits.",
      ),
    ),
    outbox: outboxSchema,
    nextTimer: v.exactOptional(v.pipe(time, v.description("When its next timer is due."))),
  }),
  v.strictObject({ shard: count, error: v.string() }),
]);

export const queueHealthSchema = v.strictObject({
  queue: v.string(),
  kind: v.picklist(["source", "stage"]),
  name: v.pipe(v.string(), v.description("The source or stage that it belongs to.")),
  backlog: v.nullable(
    v.pipe(
      v.strictObject({ messages: count, bytes: count }),
      v.description("Null where the platform does not say."),
    ),
  ),
  oldestMessageAgeMs: v.nullable(count),
  highWater: v.pipe(
    count,
    v.description(
      "Messages from which on ingest answers 429 for every source whose events come to this queue.",
    ),
  ),
  over: v.nullable(v.pipe(v.boolean(), v.description("Whether it is at its mark or above."))),
});

/** Not `time`: a stream that has ended is at the last moment there is, in the year +275760. */
const eventTime = v.string();
const watermark = v.nullable(
  v.pipe(
    eventTime,
    v.description(
      "ISO 8601, UTC. Up to where everything has come, in event time; null before anything is known.",
    ),
  ),
);
const lagMs = v.nullable(v.pipe(count, v.description("How far the watermark is behind the clock.")));

export const watermarksSchema = v.strictObject({
  job: v.string(),
  sources: v.array(
    v.strictObject({
      source: v.string(),
      watermark,
      lagMs,
      frontier: v.nullable(
        v.pipe(time, v.description("Everything that arrived before it has been committed.")),
      ),
      holds: v.pipe(
        count,
        v.description("Of ingest isolates, of which something is not known to be committed."),
      ),
      replays: v.pipe(count, v.description("Logs that are being replayed.")),
    }),
  ),
  operators: v.array(
    v.strictObject({
      operator: v.string(),
      watermark,
      lagMs,
      nextTimer: v.exactOptional(
        v.pipe(eventTime, v.description("ISO 8601, UTC. The first window or timer that waits for it.")),
      ),
    }),
  ),
});

export const flowSchema = v.pipe(
  v.strictObject({
    source: v.pipe(v.string(), v.description("A source, or the operator that emits the events.")),
    operator: v.string(),
    accepted: v.pipe(
      count,
      v.description(
        "Of a source: accepted, as far as any shard has heard; what none has met yet is in the queue's backlog. Of an " +
          "operator: emitted to this one.",
      ),
    ),
    applied: v.pipe(
      count,
      v.description("What a filter dropped counts too; at a sink: taken into its buffer."),
    ),
    late: v.pipe(count, v.description("Came too late for their windows.")),
    dead: v.pipe(count, v.description("In dead letters now; redriving takes them out.")),
    inFlight: v.pipe(count, v.description("Accepted, minus applied, late and dead.")),
    duplicates: v.pipe(count, v.description("Segments, not events, that were delivered again and skipped.")),
  }),
  v.metadata({ ref: "Flow" }),
);

export const healthSchema = v.pipe(
  v.strictObject({
    at: v.pipe(time, v.description("When it was looked.")),
    status: v.pipe(v.picklist(["ok", "degraded"]), v.description("Degraded when something does not answer.")),
    refusing: v.pipe(
      v.array(v.string()),
      v.description("Sources for which ingest answers 429, since a queue that they feed is over its mark."),
    ),
    busy: v.pipe(v.array(v.string()), v.description("Shards that are busy, as `operator/shard`.")),
    queues: v.pipe(v.array(queueHealthSchema), v.description("Of each source and each stage.")),
    deadLetters: v.strictObject({
      events: v.pipe(count, v.description("Of the shards that answer.")),
      messages: v.nullable(count),
    }),
    operators: v.array(
      v.strictObject({
        operator: v.string(),
        kind: operatorKind,
        outbox: v.pipe(outboxSchema, v.description("Of the shards that answer.")),
        sink: v.exactOptional(v.pipe(sinkSchema, v.description("Of the shards that answer."))),
        shards: v.array(shardHealthSchema),
      }),
    ),
    flows: v.pipe(
      v.array(flowSchema),
      v.description("What became of the events on each edge of the plan, in events since ever."),
    ),
    watermarks: v.pipe(
      v.array(watermarksSchema),
      v.description("Of each job in which something goes by event time."),
    ),
    problems: v.exactOptional(v.pipe(v.array(v.string()), v.description("Why it is degraded."))),
  }),
  v.metadata({ ref: "Health" }),
);
