/** What a stated workload would cost: an estimate from list prices, with its arithmetic shown. */
import { DEFAULT_LIMITS } from "../../src/engine/shard/shard.ts";
import type { OperatorPlan, Plan, SourcePlan } from "../../src/index.ts";
import { UsageError } from "./failure.ts";
import { prices } from "./prices.ts";
import { table } from "./table.ts";

export interface Workload {
  readonly source?: string;
  readonly events: number;
  /** Events in a request. */
  readonly batch: number;
  /** Distinct keys among the events, the same for each operator. */
  readonly keys: number;
}

export interface Estimate extends Required<Workload> {
  readonly pricesAsOf: string;
  readonly lines: readonly EstimateLine[];
  readonly dollars: number;
  readonly dollarsPerMillionEvents: number;
}

export interface EstimateLine {
  readonly what: string;
  readonly arithmetic: string;
  readonly count: number;
  readonly dollarsPerMillion: number;
  readonly dollars: number;
}

/** Assumed: what a key and its small accumulator take, in a message and in a page of state. */
const RECORD_BYTES = 60;
const MESSAGE_BYTES = 63_000;
const PAGE_BYTES = 36 * 1024;
const BATCH_MESSAGES = 100;
const OPERATIONS_A_MESSAGE = 3;

/** @throws UsageError when it is not clear which source is meant. */
export function estimate(plan: Plan, workload: Workload): Estimate {
  const source = sourceOf(plan, workload.source);
  const { events, batch, keys } = workload;
  const operators = [...plan.operators.values()].filter(({ sources }) => sources.includes(source.name));
  const shards = operators.reduce((sum, operator) => sum + operator.shards, 0);

  const requests = Math.ceil(events / batch);
  // Events of one key are combined within a request.
  const recordBytes = Math.min(batch, keys, events) * operators.length * RECORD_BYTES;
  const perRequest = Math.ceil(recordBytes / MESSAGE_BYTES);
  const messages = requests * perRequest;
  const batches = Math.ceil(messages / BATCH_MESSAGES);
  const calls = batches * shards;
  const checkpoints = operators.map((operator) => checkpointsOf(operator, workload, batches));
  const checkpointRows = checkpoints.reduce((sum, { count, pages }) => sum + count * (pages + 1), 0);
  const checkpointSums = checkpoints.map(
    ({ count, pages }) => `${many(count, "checkpoint")} × (${many(pages, "page")} + 1)`,
  );

  const lines = [
    line(
      "Worker requests",
      `${many(requests, "request")} + ${many(batches, "batch", "batches")} of ${BATCH_MESSAGES} messages`,
      requests + batches,
      prices.workerRequest,
    ),
    line(
      "queue operations",
      `${many(requests, "request")} × ${many(perRequest, "message")} × ${OPERATIONS_A_MESSAGE}`,
      messages * OPERATIONS_A_MESSAGE,
      prices.queueOperation,
    ),
    line(
      "object requests",
      `${many(batches, "batch", "batches")} × ${many(shards, "shard")}`,
      calls,
      prices.objectRequest,
    ),
    line(
      "rows written",
      `${many(calls, "commit")} + ${checkpointSums.join(" + ")}`,
      calls + checkpointRows,
      prices.rowWritten,
    ),
  ];
  const dollars = lines.reduce((sum, { dollars }) => sum + dollars, 0);
  return {
    source: source.name,
    ...{ events, batch, keys },
    pricesAsOf: prices.asOf,
    lines,
    dollars,
    dollarsPerMillionEvents: (dollars / events) * 1e6,
  };
}

/** At most: the keys of a checkpoint are taken to lie in different pages, as long as there are pages. */
function checkpointsOf({ shards }: OperatorPlan, { events, keys }: Workload, batches: number) {
  const keysHeld = Math.ceil(keys / shards);
  const keysACommit = Math.min(keysHeld, Math.ceil(events / batches / shards));
  const commits = Math.max(
    1,
    Math.min(DEFAULT_LIMITS.checkpointCommits, Math.floor(DEFAULT_LIMITS.checkpointKeys / keysACommit)),
  );
  const pagesHeld = Math.ceil((keysHeld * RECORD_BYTES) / PAGE_BYTES);
  return {
    count: Math.ceil((batches * shards) / commits),
    pages: Math.min(pagesHeld, keysACommit * commits),
  };
}

function sourceOf(plan: Plan, name: string | undefined): SourcePlan {
  const names = [...plan.sources.keys()].sort();
  const source = plan.sources.get(name ?? (names.length === 1 ? (names[0] ?? "") : ""));
  if (source !== undefined) return source;
  if (name !== undefined)
    throw new UsageError(`--source ${name}: there is none; use one of ${names.join(", ")}.`);
  throw new UsageError(`An estimate is for one source: say --source NAME, one of ${names.join(", ")}.`);
}

function line(what: string, arithmetic: string, count: number, price: number): EstimateLine {
  return { what, arithmetic, count, dollarsPerMillion: price, dollars: (count * price) / 1e6 };
}

export function estimateText(it: Estimate): string {
  const rows = it.lines.map(({ what, arithmetic, count, dollarsPerMillion, dollars }) => [
    what,
    arithmetic,
    n(count),
    dollarsPerMillion.toFixed(2),
    dollars.toFixed(4),
  ]);
  const total = ["total", "", "", "", it.dollars.toFixed(4)];
  return [
    `Estimate, at list prices of ${it.pricesAsOf}: ${many(it.events, "event")} into ${it.source}, ${n(it.batch)} a request, ${many(it.keys, "key")}\n`,
    ...table(["", "arithmetic", "count", "$ a million", "$"], [...rows, total], [2, 3, 4]).map(
      (row) => `  ${row}`,
    ),
    `\n  $${it.dollarsPerMillionEvents.toFixed(4)} per million events\n`,
    `It assumes full batches (slow traffic makes smaller ones, so more calls and commits), keys of ${RECORD_BYTES} bytes spread evenly, and no retries.`,
    "It leaves out CPU time, the duration of objects, rows read, alarms, storage, queries, and requests under an idempotency key.\n",
  ].join("\n");
}

function n(value: number): string {
  return value.toLocaleString("en-US");
}

function many(count: number, one: string, several = `${one}s`): string {
  return `${n(count)} ${count === 1 ? one : several}`;
}
