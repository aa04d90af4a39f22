/** Paper: what 1,000,000 events a second would take on the platform, from what was counted for far fewer. */
import type { Cost } from "./costs.ts";

const EVENTS_A_SECOND = 1_000_000;
const DAY = 86_400;
/** The platform's ceilings: messages a second into a queue; writing calls a second of an object; batches at once. */
const QUEUE_MESSAGES = 5_000;
const OBJECT_CALLS = 500;
const CONSUMERS = 250;
/** Assumed: what a batch takes from its delivery to its acknowledgement, seconds. */
const BATCH_SECONDS = 0.1;

export interface Paper {
  readonly workload: string;
  readonly requests: number;
  readonly messages: number;
  readonly queues: number;
  readonly batches: number;
  /** Of each shard. */
  readonly calls: number;
  readonly rows: number;
  /** Of what was counted, and with CPU and duration as they were here. */
  readonly dollarsADay: number;
  readonly estimatedADay: number;
  readonly breaksFirst: string;
}

/** Rates are a second. */
export function paper({ workload, counts, bill }: Cost): Paper {
  const scale = EVENTS_A_SECOND / bill.events;
  const messages = counts.deliveries * scale;
  const batches = counts.batches * scale;
  const calls = (counts.objectRequests / counts.objects) * scale;
  const strains: [string, number][] = [
    [`one queue (${QUEUE_MESSAGES.toLocaleString("en-US")} messages/s)`, messages / QUEUE_MESSAGES],
    [`each shard (${OBJECT_CALLS} writing calls/s)`, calls / OBJECT_CALLS],
    [`consumers (${CONSUMERS} at once)`, (batches * BATCH_SECONDS) / CONSUMERS],
  ];
  const aDay = (dollarsPerMillion: number) => (dollarsPerMillion / 1e6) * EVENTS_A_SECOND * DAY;
  const [what, strain] = strains.sort((a, b) => b[1] - a[1])[0] as [string, number];
  return {
    workload,
    requests: counts.requests * scale,
    messages,
    queues: Math.ceil(messages / QUEUE_MESSAGES),
    batches,
    calls,
    rows: counts.rowsWritten * scale,
    dollarsADay: aDay(bill.counted),
    estimatedADay: aDay(bill.withEstimates),
    breaksFirst: `${what}, at ${Math.round(strain * 100)}%`,
  };
}
