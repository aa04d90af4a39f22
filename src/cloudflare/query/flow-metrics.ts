/** Flow metrics: what became of the events on each edge of the plan. */
import type { Flow } from "./conservation.ts";
import type { KnownFlow } from "./known-flows.ts";
import { acceptedOf } from "./known-flows.ts";
import type { Sample } from "./prometheus.ts";
import { family } from "./prometheus.ts";

export function flowMetrics(flows: readonly KnownFlow[]): string {
  const sure = flows.filter((flow) => flow.sure);
  const perFlow = (value: (flow: Flow) => number, of: readonly Flow[] = flows): Sample[] =>
    of.map((flow) => [{ source: flow.source, operator: flow.operator }, value(flow)]);

  return [
    family(
      "millrace_events_accepted_total",
      "counter",
      "Events accepted from an HTTP source, as far as any shard has heard; what no shard has met yet is in the queue's backlog.",
      [...acceptedOf(flows)].map(([source, events]) => [{ source }, events]),
    ),
    family(
      "millrace_events_emitted_total",
      "counter",
      "Events that an operator or a pull source (source) has emitted to one that reads it (operator).",
      perFlow(
        (flow) => flow.accepted,
        sure.filter(({ internal }) => internal),
      ),
    ),
    family(
      "millrace_events_applied_total",
      "counter",
      "Events applied to an operator's state, those that a filter dropped among them; at a sink: taken into its buffer.",
      perFlow(({ applied }) => applied),
    ),
    family(
      "millrace_events_late_total",
      "counter",
      "Events that came too late for their windows.",
      perFlow(({ late }) => late),
    ),
    family(
      "millrace_events_dead_lettered",
      "gauge",
      "Events in dead letters now; redriving takes them out.",
      perFlow(({ dead }) => dead),
    ),
    family(
      "millrace_events_in_flight",
      "gauge",
      "Accepted or emitted, minus applied, late and dead-lettered.",
      perFlow(({ inFlight }) => inFlight, sure),
    ),
    family(
      "millrace_duplicates_total",
      "counter",
      "Segments (the events of one request or commit) that a shard was given again and skipped.",
      perFlow(({ duplicates }) => duplicates),
    ),
  ].join("");
}
