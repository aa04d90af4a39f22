/** Cost metrics: what the platform bills for events, as it was counted at run time, and what that comes to at list prices. */
import type { Usage, Usages } from "../../engine/usage.ts";
import { addUsage, addUsages } from "../../engine/usage.ts";
import { estimatedCpu } from "../cpu-estimate.ts";
import { OBJECT_GIGABYTES, prices } from "../prices.ts";
import type { KnownFlow } from "./known-flows.ts";
import { acceptedOf } from "./known-flows.ts";
import type { Labels, Sample } from "./prometheus.ts";
import { family } from "./prometheus.ts";
import type { Snapshot } from "./snapshot.ts";
import { answered } from "./snapshot.ts";

interface EstimatedUsage extends Usage {
  /** CPU time of Workers, milliseconds. */
  readonly cpu?: number;
}

/** A million of it costs `price` dollars. */
interface Billed {
  readonly unit: keyof EstimatedUsage;
  readonly price: number;
  /** What `millrace_cost_dollars_total` calls it. */
  readonly what: string;
}

const REQUESTS: Billed = { unit: "requests", price: prices.workerRequest, what: "requests" };
const QUEUE: Billed = { unit: "queue", price: prices.queueOperation, what: "queue" };
const OBJECTS: Billed = { unit: "objects", price: prices.objectRequest, what: "objects" };
const WRITTEN: Billed = { unit: "written", price: prices.rowWritten, what: "rows_written" };
const READS: Billed = { unit: "reads", price: prices.objectRequest, what: "read_requests" };
const READ: Billed = { unit: "read", price: prices.rowRead, what: "rows_read" };
const R2_A: Billed = { unit: "r2a", price: prices.r2ClassA, what: "r2_a" };
const R2_B: Billed = { unit: "r2b", price: prices.r2ClassB, what: "r2_b" };
const AWAKE: Billed = {
  unit: "awake",
  price: (prices.gigabyteSecond * OBJECT_GIGABYTES) / 1000,
  what: "duration",
};
const CPU: Billed = { unit: "cpu", price: prices.cpuMillisecond, what: "cpu_estimate" };
const ALL = [REQUESTS, QUEUE, OBJECTS, READS, WRITTEN, READ, R2_A, R2_B, AWAKE, CPU];

const LEFT_OUT =
  "Left out: requests that ask ingest for what it does not have, and what an object or an isolate had used and not yet handed " +
  "on when it went away.";

/**
 * Nothing while anybody is silent: a consumer hands what it has used to whichever shard it calls next, so any of them may hold
 * a part of anything.
 */
export function costMetrics(snapshot: Snapshot, flows: readonly KnownFlow[]): string {
  const counted = usagesOf(snapshot);
  if (counted === undefined) return "";
  const accepted = acceptedOf(flows);
  const usages = Object.entries(counted).map(([part, usage]): [part: string, usage: EstimatedUsage] => [
    part,
    withCpu(usage, accepted.get(part)),
  ]);
  const samples = ({ unit }: Billed, labels: Labels = {}): Sample[] =>
    usages.flatMap(([part, usage]): Sample[] =>
      usage[unit] === undefined ? [] : [[{ part, ...labels }, usage[unit]]],
    );
  const dollars = ALL.flatMap((billed) =>
    samples(billed, { for: billed.what }).map(
      ([labels, count]): Sample => [labels, rounded((count * billed.price) / 1e6)],
    ),
  );
  return [
    family(
      "millrace_billed_worker_requests_total",
      "counter",
      "Requests to Workers: those that brought events or were refused, those that read, and batches of queues.",
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
      "Requests to Durable Objects: calls that bring events or watermarks, those of live views, and alarms.",
      samples(OBJECTS),
    ),
    family(
      "millrace_billed_read_requests_total",
      "counter",
      "Requests to Durable Objects that only read: for views, tickets, health, live views, and these metrics.",
      samples(READS),
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
      "millrace_billed_object_milliseconds_total",
      "counter",
      `How long Durable Objects were at work, in which each is billed as ${OBJECT_GIGABYTES} GB: from when they were called until what they wrote was confirmed, and what they waited for in the background.`,
      samples(AWAKE),
    ),
    family(
      "millrace_estimated_cpu_milliseconds_total",
      "counter",
      "CPU time of Workers, which they cannot measure: a figure for each request and each event, from the bench, on the high side.",
      samples(CPU),
    ),
    family(
      "millrace_cost_dollars_total",
      "counter",
      `What all that costs, in US dollars at the list prices of ${prices.asOf}, beyond what the paid plan includes. ${LEFT_OUT}`,
      dollars,
    ),
  ].join("");
}

function withCpu(usage: Usage, events = 0): EstimatedUsage {
  const { requests } = usage;
  return requests === undefined ? usage : { ...usage, cpu: rounded(estimatedCpu(requests, events)) };
}

/** Without the noise of binary fractions. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
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
