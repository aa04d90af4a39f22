/** Watermark metrics: how far event time is behind the clock, at each source and at each operator that goes by it. */
import type { Sample } from "./prometheus.ts";
import { family } from "./prometheus.ts";
import type { Snapshot } from "./snapshot.ts";

/** Left out: jobs whose coordinator is silent, and whatever has not heard of a watermark yet. */
export function watermarkMetrics({ now, watermarks }: Snapshot): string {
  const known = watermarks.flatMap(({ status }) => ("answer" in status ? [status.answer] : []));
  const lags = (label: string, all: Readonly<Record<string, { readonly watermark: number }>>): Sample[] =>
    Object.entries(all).flatMap(([name, { watermark }]): Sample[] =>
      watermark < 0 ? [] : [[{ [label]: name }, Math.max(0, now - watermark) / 1000]],
    );
  return [
    family(
      "millrace_source_watermark_lag_seconds",
      "gauge",
      "How far a source's watermark is behind the clock; absent before anything is known.",
      known.flatMap(({ sources }) => lags("source", sources)),
    ),
    family(
      "millrace_source_holds",
      "gauge",
      "Holds that keep a source's frontier back: requests under way, and segments that are not committed.",
      known.flatMap(({ sources }) =>
        Object.entries(sources).map(([source, { holds }]): Sample => [{ source }, holds]),
      ),
    ),
    family(
      "millrace_watermark_lag_seconds",
      "gauge",
      "How far the watermark that an operator has been told is behind the clock; absent before anything is known.",
      known.flatMap(({ operators }) => lags("operator", operators)),
    ),
  ].join("");
}
