/** NodeFacts: the facts of a node as names and values, group by group, for its details. */
import type { View } from "../api/types.ts";
import { formatBytes, formatNumber, formatRate, formatSpan } from "../parts/format.ts";
import type { Fact } from "./fact-list.tsx";
import type { NodeFacts } from "./facts.ts";
import type { GraphNode } from "./model.ts";
import { lagWord, markWord, skewWord } from "./words.ts";

export function flowFacts(facts: NodeFacts): Fact[] {
  const { rate, totals, operator, shards } = facts;
  const counted = (value: number | undefined) => (value === undefined ? undefined : formatNumber(value));
  const busy = operator?.shards.flatMap((shard) => ("busy" in shard && shard.busy ? [shard.shard] : []));
  return [
    ["Events a second", formatRate(rate)],
    ["Given to it", counted(totals?.accepted)],
    ["Applied", counted(totals?.applied)],
    ["In flight", counted(totals?.inFlight)],
    ["Late", counted(totals?.late)],
    ["In dead letters", counted(totals?.dead)],
    ["Segments delivered again, and skipped", counted(totals?.duplicates)],
    ["Outbox", operator === undefined ? undefined : outboxWord(operator.outbox)],
    ["Busy shards", busy === undefined ? undefined : busy.length === 0 ? "none" : busy.join(", ")],
    [
      "Skew (largest share against the mean)",
      shards.length < 2 ? undefined : (skewWord(facts) ?? "nothing yet"),
    ],
  ];
}

function outboxWord(outbox: NonNullable<NodeFacts["operator"]>["outbox"]): string {
  const { segments, bytes, oldestAgeMs } = outbox;
  if (segments === 0) return "empty";
  const age = oldestAgeMs === null ? "" : `, oldest ${formatSpan(oldestAgeMs)}`;
  return `${formatNumber(segments)} segments, ${formatBytes(bytes)}${age}`;
}

export function eventTimeFacts({ watermark }: NodeFacts): Fact[] {
  if (watermark === undefined) return [];
  const at = (time: string | null | undefined) => (time === null || time?.startsWith("+") ? undefined : time);
  return [
    ["Watermark", `${lagWord(watermark)}`],
    ["Everything has come up to", at(watermark.watermark)],
    ...("frontier" in watermark
      ? ([
          ["Committed up to (arrival)", at(watermark.frontier)],
          ["Held by ingest isolates", formatNumber(watermark.holds)],
          ["Logs being replayed", formatNumber(watermark.replays)],
        ] satisfies Fact[])
      : ([["Next window or timer", at(watermark.nextTimer)]] satisfies Fact[])),
  ];
}

export function windowFacts({ windows, time, latenessMs, retentionMs }: NonNullable<View["window"]>): Fact[] {
  return [
    ["Windows", windows],
    ["Time", time === "event" ? "of the events" : "of the clock"],
    ["Events may be late by", formatSpan(latenessMs)],
    ["Results are kept for", formatSpan(retentionMs)],
  ];
}

export function queueFacts(node: GraphNode, { queue }: NodeFacts): Fact[] {
  if (node.type === "steps") return [];
  const names = node.type === "source" ? node.source : node.operator.stage;
  if (names === undefined) return [];
  const oldest = queue?.oldestMessageAgeMs ?? null;
  return [
    ["Name", names.queue],
    ["Dead-letter queue", names.deadLetterQueue],
    ["Messages waiting, of its mark", queue === undefined ? undefined : markWord(queue)],
    ["Oldest", queue === undefined ? undefined : oldest === null ? "none waits" : formatSpan(oldest)],
  ];
}

export function sinkFacts({ operator }: NodeFacts): Fact[] {
  if (operator?.sink === undefined) return [];
  const { buffered, bytes, delivered, discarded } = operator.sink;
  return [
    ["Taken, not yet delivered", `${formatNumber(buffered)} events, ${formatBytes(bytes)}`],
    ["Delivered", formatNumber(delivered)],
    ["Rejected or erased", formatNumber(discarded)],
  ];
}

/** What the job's own code says of it. */
export function jobFacts(node: GraphNode): Fact[] {
  if (node.type !== "operator") return [];
  const { shards, maxKeys, stage, sink, pull, outputs, sources } = node.operator;
  return [
    ["Reads", sources.length === 0 ? undefined : sources.join(", ")],
    ["Read by", outputs.length === 0 ? undefined : outputs.join(", ")],
    ["Shards", formatNumber(shards)],
    ["Keys that a shard keeps at most", maxKeys === undefined ? undefined : formatNumber(maxKeys)],
    ...(stage === undefined
      ? []
      : ([
          ["Events worked on at once, of a batch", formatNumber(stage.concurrency)],
          ["Messages of a batch", formatNumber(stage.batchSize)],
          ["Batches at once", stage.maxConsumers === null ? "no limit" : formatNumber(stage.maxConsumers)],
          ["Tries after the first", formatNumber(stage.retries)],
        ] satisfies Fact[])),
    ...(sink === undefined
      ? []
      : ([
          ["A batch is", `${formatNumber(sink.batchEvents)} events or ${formatBytes(sink.batchBytes)}`],
          ["and waits at most", formatSpan(sink.batchMs)],
          ["Buffer of a shard", formatBytes(sink.bufferBytes)],
        ] satisfies Fact[])),
    ...(pull === undefined
      ? []
      : ([
          ["Asked every", formatSpan(pull.everyMs)],
          ["Events of a call at most", formatNumber(pull.limit)],
        ] satisfies Fact[])),
  ];
}
