/** Report: what the sensors command says about a run. */
import type { Hook } from "./hook.ts";
import type { Sent } from "./senders.ts";
import type { Verdict } from "./verdict.ts";
import type { SeenAlert } from "./watch.ts";

const SHOWN = 20;

export function sentText(
  { requests, refused, seconds, oldest }: Sent,
  readings: number,
  retries: number,
): string {
  const rate = (n: number) => Math.round(n / seconds).toLocaleString("en-US");
  const more = [
    ...(retries > 0 ? [`${retries} tried again`] : []),
    ...(refused > 0 ? [`${refused} refused (429)`] : []),
    ...(oldest > 0 ? [`readings at most ${(oldest / 1000).toFixed(1)} s old when they were accepted`] : []),
  ];
  return `Sent ${readings} readings in ${requests} requests and ${seconds.toFixed(1)} s: ${rate(requests)} requests/s, ${rate(readings)} readings/s${more.map((one) => `; ${one}`).join("")}.`;
}

/** How long after an alert was due, by the clock, it could be read. */
export function delaysText(seen: readonly SeenAlert[]): string {
  return (["raised", "resolved"] as const)
    .map((kind) => {
      const delays = seen
        .filter((alert) => alert.kind === kind)
        .map((alert) => (alert.seen - alert.at) / 1000);
      if (delays.length === 0) return `No alert was seen to be ${kind}.`;
      delays.sort((a, b) => a - b);
      const at = (share: number) => (delays[Math.ceil(share * delays.length) - 1] ?? 0).toFixed(1);
      return `${delays.length} ${kind}, readable after: median ${at(0.5)} s, p95 ${at(0.95)} s, at most ${at(1)} s.`;
    })
    .join("\n");
}

export function verdictText({ differences, averages, expected }: Verdict, hook: Hook | undefined): string {
  const posted =
    hook === undefined ? "" : `; the webhook had each once, ${hook.repeated} batches of it more than once`;
  if (differences.length === 0) {
    const raised = expected.filter(({ kind }) => kind === "raised").length;
    return `As the recount: ${averages} averages, ${raised} alerts raised, each once, ${expected.length - raised} resolved${posted}.`;
  }
  const more = differences.length > SHOWN ? [`… and ${differences.length - SHOWN} more`] : [];
  return [`${differences.length} differences:`, ...differences.slice(0, SHOWN), ...more].join("\n  ");
}
