/** Cost metrics: what the platform bills for events, as it was counted at run time, and what that comes to at list prices. */
import type { Usage, Usages } from "../../engine/usage.ts";
import { addUsage, addUsages } from "../../engine/usage.ts";
import { prices } from "../prices.ts";
import type { Labels, Sample } from "./prometheus.ts";
import { family } from "./prometheus.ts";
import type { Snapshot } from "./snapshot.ts";
import { answered } from "./snapshot.ts";

/** A million of it costs `price` dollars. */
interface Billed {
  readonly unit: keyof Usage;
  readonly price: number;
  /** What `millrace_cost_dollars_total` calls it. */
  readonly what: string;
}

const REQUESTS: Billed = { unit: "requests", price: prices.workerRequest, what: "requests" };
const QUEUE: Billed = { unit: "queue", price: prices.queueOperation, what: "queue" };
const OBJECTS: Billed = { unit: "objects", price: prices.objectRequest, what: "objects" };
const WRITTEN: Billed = { unit: "written", price: prices.rowWritten, what: "rows_written" };
const READ: Billed = { unit: "read", price: prices.rowRead, what: "rows_read" };
const R2_A: Billed = { unit: "r2a", price: prices.r2ClassA, what: "r2_a" };
const R2_B: Billed = { unit: "r2b", price: prices.r2ClassB, what: "r2_b" };

const LEFT_OUT =
  "Left out: CPU time, the duration of objects, requests that were refused, reads of views and of this page, live views and " +
  "their WebSockets, idempotency keys, erasures, and what an object or a consumer had used since its last commit when it " +
  "went away.";

/**
 * Nothing while anybody is silent: a consumer hands what it has used to whichever shard it calls next, so any of them may hold
 * a part of anything.
 */
export function costMetrics(snapshot: Snapshot): string {
  const usages = usagesOf(snapshot);
  if (usages === undefined) return "";
  const samples = ({ unit }: Billed, labels: Labels = {}): Sample[] =>
    Object.entries(usages).flatMap(([part, usage]): Sample[] =>
      usage[unit] === undefined ? [] : [[{ part, ...labels }, usage[unit]]],
    );
  const dollars = [REQUESTS, QUEUE, OBJECTS, WRITTEN, READ, R2_A, R2_B].flatMap((billed) =>
    samples(billed, { for: billed.what }).map(
      // Without the noise of binary fractions.
      ([labels, count]): Sample => [labels, Number(((count * billed.price) / 1e6).toPrecision(12))],
    ),
  );
  return [
    family(
      "millrace_billed_worker_requests_total",
      "counter",
      "Requests to Workers: those that brought events, and batches of queues.",
      samples(REQUESTS),
    ),
    family(
      "millrace_billed_queue_operations_total",
      "counter",
      "Queue operations, one per 64 KB of a message: to write, read and delete it, and to read it again with each retry.",
      samples(QUEUE),
    ),
    family(
      "millrace_billed_object_requests_total",
      "counter",
      "Requests to Durable Objects: calls that bring events or watermarks, and alarms.",
      samples(OBJECTS),
    ),
    family(
      "millrace_billed_rows_written_total",
      "counter",
      "Rows that Durable Objects have written, each setting of an alarm among them.",
      samples(WRITTEN),
    ),
    family(
      "millrace_billed_rows_read_total",
      "counter",
      "Rows that Durable Objects have read.",
      samples(READ),
    ),
    family(
      "millrace_billed_r2_operations_total",
      "counter",
      "R2 operations of sinks and pull sources: class a writes or lists, class b reads.",
      [...samples(R2_A, { class: "a" }), ...samples(R2_B, { class: "b" })],
    ),
    family(
      "millrace_cost_dollars_total",
      "counter",
      `What all that costs, in US dollars at the list prices of ${prices.asOf}, beyond what the paid plan includes. ${LEFT_OUT}`,
      dollars,
    ),
  ].join("");
}

/** By source, operator, and, for its watermarks, job; undefined when somebody does not answer. */
function usagesOf({ operators, watermarks }: Snapshot): Usages | undefined {
  const usages: Usages = {};
  for (const { shards } of operators) {
    const stats = answered(shards);
    if (stats.length < shards.length) return undefined;
    for (const { used } of stats) addUsages(usages, used);
  }
  for (const { job, status } of watermarks) {
    if ("error" in status) return undefined;
    addUsage(usages, job, status.answer.used ?? {});
  }
  return usages;
}
