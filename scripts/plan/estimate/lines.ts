/** The lines of an estimate: what a flow is billed for, each with its arithmetic. */
import { prices } from "../../../src/cloudflare/prices.ts";
import { commitsBefore } from "../../../src/engine/shard/checkpoint-pace.ts";
import { DEFAULT_LIMITS } from "../../../src/engine/shard/shard.ts";
import type { SinkPlan } from "../../../src/plan.ts";
import { isCombined } from "../../../src/plan.ts";
import type { Input, OperatorFlow, SourceFlow } from "./flow.ts";
import { EVENT_BYTES, RECORD_BYTES } from "./flow.ts";

export interface EstimateLine {
  /** The source or operator; "in all" for what is assumed of all of them. */
  readonly part: string;
  /** What is billed; with a "~" in front where the count rests on an assumption about the platform. */
  readonly what: string;
  readonly arithmetic: string;
  readonly count: number;
  readonly dollarsPerMillion: number;
  readonly dollars: number;
}

const PAGE_BYTES = 36 * 1024;
const OPERATIONS_A_MESSAGE = 3;
/** That it begins, and that it is over. */
const REPORTS_A_HOLD = 2;

export function sourceLines(part: string, flow: SourceFlow): EstimateLine[] {
  const { kind, requests, batches, messages, messagesARequest, messagesABatch, isTimed } = flow;
  if (kind === "pull") {
    return [
      line(part, "object requests", many(requests, "answer"), requests, prices.objectRequest),
      line(
        part,
        "rows written",
        `${many(requests, "answer")} × (1 commit + 1 alarm)`,
        requests * 2,
        prices.rowWritten,
      ),
    ];
  }
  return [
    line(
      part,
      "Worker requests",
      `${many(requests, "request")} + ${many(batches, "batch", "batches")} of ${many(messagesABatch, "message")}`,
      requests + batches,
      prices.workerRequest,
    ),
    line(
      part,
      "queue operations",
      `${many(requests, "request")} × ${many(messagesARequest, "message")} × ${OPERATIONS_A_MESSAGE}`,
      messages * OPERATIONS_A_MESSAGE,
      prices.queueOperation,
    ),
    ...(isTimed ? watermarkLines(part, flow) : []),
  ];
}

/** What is committed is reported before it is acknowledged, so that the watermark can move; and what is about to be sent. */
function watermarkLines(part: string, { batches, holds }: SourceFlow): EstimateLine[] {
  const sending = holds === 0 ? "" : `${many(holds, "second")} × ${REPORTS_A_HOLD} + `;
  const reports = `${sending}${many(batches, "batch", "batches")} × 1 report to the coordinator`;
  const count = holds * REPORTS_A_HOLD + batches;
  return [
    line(part, "object requests", reports, count, prices.objectRequest),
    line(part, "rows written", reports, count, prices.rowWritten),
  ];
}

export function operatorLines(flow: OperatorFlow, keys: number): EstimateLine[] {
  const { operator, commits, messages, messagesABatch } = flow;
  const { name: part } = operator;
  const calls = flow.inputs.map(callsText).join(" + ");
  const checkpoints = checkpointsOf(flow, keys);
  const { count, pages } = checkpoints;
  const rows = `${many(commits, "commit")} + ${many(count, "checkpoint")} × (${many(pages, "page")} + 1)`;
  const lines = [
    line(part, "object requests", calls, commits, prices.objectRequest),
    line(part, "rows written", rows, commits + count * (pages + 1), prices.rowWritten),
  ];
  if (operator.kind === "sink") return [...lines, ...sinkLines(operator, flow)];
  if (operator.kind !== "stage") return lines;
  const batches = Math.ceil(messages / messagesABatch);
  const arithmetic = `${many(batches, "batch", "batches")} of ${many(messagesABatch, "message")}`;
  const operations = `${many(messages, "message")} × ${OPERATIONS_A_MESSAGE}`;
  return [
    line(part, "Worker requests", arithmetic, batches, prices.workerRequest),
    line(part, "queue operations", operations, messages * OPERATIONS_A_MESSAGE, prices.queueOperation),
    ...lines,
  ];
}

/** A batch is fixed by a commit, and forgotten by another one when it is written. */
function sinkLines(sink: SinkPlan, { events, commits }: OperatorFlow): EstimateLine[] {
  const { name: part, batchEvents, batchBytes, batchMs } = sink;
  const full = Math.ceil(Math.max(events / batchEvents, (events * EVENT_BYTES) / batchBytes));
  const batches = Math.max(full, batchMs === 0 ? commits : 0);
  const kinds = new Set(sink.sink.bindings?.map(({ kind }) => kind));
  const one = kinds.has("r2") ? "file" : "batch";
  const text = many(batches, one, one === "file" ? "files" : "batches");
  return [
    line(part, "rows written", `${text} × (fixed + written)`, batches * 2, prices.rowWritten),
    ...(kinds.has("r2") ? [line(part, "files written", text, batches, prices.r2ClassA)] : []),
    ...(kinds.has("queue")
      ? [
          line(
            part,
            "queue operations",
            `${many(events, "event")} × 1 write`,
            Math.ceil(events),
            prices.queueOperation,
          ),
        ]
      : []),
  ];
}

/** At most: the keys of a checkpoint are taken to lie in different pages, as long as there are pages. */
function checkpointsOf({ operator, events, commits }: OperatorFlow, keys: number) {
  const { kind, shards } = operator;
  const { checkpointBytes, checkpointKeys } = DEFAULT_LIMITS;
  if (kind === "stage" || kind === "pull" || commits === 0) {
    return { count: Math.ceil(commits / commitsBefore(0, DEFAULT_LIMITS)), pages: 0 };
  }
  const keysHeld = kind === "sink" ? Math.ceil(events / shards) : Math.ceil(keys / shards);
  const keysACommit = Math.min(keysHeld, Math.ceil(events / commits));
  const bytes = isCombined(operator) ? RECORD_BYTES : EVENT_BYTES;
  const pagesHeld = Math.ceil((keysHeld * bytes) / PAGE_BYTES);
  const every = Math.max(
    1,
    Math.min(
      commitsBefore(pagesHeld, DEFAULT_LIMITS),
      Math.floor(checkpointKeys / keysACommit),
      Math.floor(checkpointBytes / (keysACommit * bytes)),
    ),
  );
  // What a sink buffers lies in a row, and so does what it has got rid of.
  const touched =
    kind === "sink" ? Math.ceil((keysACommit * every * bytes) / PAGE_BYTES) : keysACommit * every;
  return { count: Math.ceil(commits / every), pages: Math.min(pagesHeld, touched) };
}

function callsText({ from, what, times, shards, pieces }: Input): string {
  const several = what === "batch" ? "batches" : `${what}s`;
  const origin = what === "commit" ? ` of ${from}` : "";
  const cut = pieces === 1 ? "" : ` × ${many(pieces, "piece")}`;
  return `${many(times, what, several)}${origin} × ${many(shards, "shard")}${cut}`;
}

export function line(
  part: string,
  what: string,
  arithmetic: string,
  count: number,
  price: number,
): EstimateLine {
  return { part, what, arithmetic, count, dollarsPerMillion: price, dollars: (count * price) / 1e6 };
}

/** How many of something there are in lines. */
export function totalOf(lines: readonly EstimateLine[], what: string): number {
  return lines.filter((one) => one.what === what).reduce((total, { count }) => total + count, 0);
}

export function n(value: number): string {
  return value.toLocaleString("en-US", {
    maximumSignificantDigits: 15,
    maximumFractionDigits: value < 100 ? 2 : 0,
  });
}

export function many(count: number, one: string, several = `${one}s`): string {
  return `${n(count)} ${count === 1 ? one : several}`;
}
