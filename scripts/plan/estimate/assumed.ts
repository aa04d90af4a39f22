/** The lines that no count of calls gives: CPU time, how long objects are at work, what they read. Each rests on a figure from elsewhere. */
import { CPU_MS_A_REQUEST, CPU_MS_AN_EVENT, estimatedCpu } from "../../../src/cloudflare/cpu-estimate.ts";
import { OBJECT_GIGABYTES, prices } from "../../../src/cloudflare/prices.ts";
import type { EstimateLine } from "./lines.ts";
import { line, many, totalOf } from "./lines.ts";

/** What an object takes for a call, most of it until the platform has confirmed what it wrote. Not measured there. */
export const CALL_MS = 20;
/** A commit looks at the slot of the log that it writes. */
const ROWS_A_CALL = 1;

/** @param counted all other lines of the estimate. */
export function assumedLines(events: number, counted: readonly EstimateLine[]): EstimateLine[] {
  const requests = totalOf(counted, "Worker requests");
  const calls = totalOf(counted, "object requests");
  const asked = many(calls, "object request");
  const cpu = `${many(requests, "Worker request")} × ${CPU_MS_A_REQUEST} + ${many(events, "event")} × ${CPU_MS_AN_EVENT}`;
  const awake = `${asked} × ${CALL_MS} ms × ${OBJECT_GIGABYTES} GB`;
  const gigabyteSeconds = (calls * CALL_MS * OBJECT_GIGABYTES) / 1000;
  return [
    // What pull sources do they do in objects, which are billed by their duration.
    ...(requests === 0
      ? []
      : [line("in all", "~ CPU, ms", cpu, estimatedCpu(requests, events), prices.cpuMillisecond)]),
    line("in all", "~ object duration, GB-s", awake, gigabyteSeconds, prices.gigabyteSecond),
    line("in all", "~ rows read", `${asked} × ${ROWS_A_CALL}`, calls * ROWS_A_CALL, prices.rowRead),
  ];
}
