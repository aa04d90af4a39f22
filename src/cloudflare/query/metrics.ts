/** Metrics: the counters that ride in the commits, and the queues' backlogs, for Prometheus. */
import type { ShardStats } from "../../engine/shard/protocol.ts";
import type { Flow } from "./conservation.ts";
import { flowsOf } from "./conservation.ts";
import type { QueryApp, QueryContext } from "./env.ts";
import type { Sample } from "./prometheus.ts";
import { CONTENT_TYPE, family } from "./prometheus.ts";
import { described, only, parameters, scoped } from "./routing.ts";
import type { Snapshot } from "./snapshot.ts";
import { takeSnapshot } from "./snapshot.ts";

export function addMetrics(app: QueryApp, context: QueryContext): void {
  app.get(
    "/metrics",
    described("health", {
      summary: "Prometheus metrics, text format 0.0.4",
      description:
        "accepted = applied + late + dead-lettered + in flight, per source and operator. What depends on a shard " +
        "that does not answer is left out rather than understated; `millrace_shards_silent` counts those.",
      answer: "text/plain",
    }),
    scoped("read"),
    parameters({}),
    async (c) => c.body(metricsOf(await takeSnapshot(c.env, context)), 200, { "content-type": CONTENT_TYPE }),
  );
  only(app, "/metrics", "GET");
}

/** The stats of an operator whose shards have all answered. */
interface Whole {
  readonly operator: string;
  readonly sources: readonly string[];
  readonly stats: readonly ShardStats[];
}

function metricsOf(snapshot: Snapshot): string {
  const { operators, queues, buried } = snapshot;
  const whole: Whole[] = [];
  const silent = new Map<string, number>();
  /** Sources of which a silent shard may know the most. */
  const unsure = new Set<string>();
  for (const { operator, shards } of operators) {
    const stats = shards.flatMap((attempt) => ("answer" in attempt ? [attempt.answer] : []));
    silent.set(operator.name, shards.length - stats.length);
    if (stats.length === shards.length)
      whole.push({ operator: operator.name, sources: operator.sources, stats });
    else for (const source of operator.sources) unsure.add(source);
  }
  const flows = flowsOf(
    whole.map(({ operator, sources }) => ({ name: operator, sources })),
    whole.flatMap(({ operator, stats }) => stats.map((one) => ({ operator, ...one }))),
  );
  const sure = flows.filter(({ source }) => !unsure.has(source));
  const accepted = new Map(sure.map(({ source, accepted }) => [source, accepted]));
  const perFlow = (value: (flow: Flow) => number, of: readonly Flow[] = flows): Sample[] =>
    of.map((flow) => [{ source: flow.source, operator: flow.operator }, value(flow)]);
  const perOperator = (value: (stats: ShardStats) => number): Sample[] =>
    whole.map(({ operator, stats }) => [{ operator }, stats.reduce((sum, one) => sum + value(one), 0)]);
  const perQueue = (
    value: (state: { messages: number; bytes: number; oldestAge: number | null }) => number,
  ) =>
    queues.flatMap(({ source, metrics }): Sample[] =>
      metrics === null ? [] : [[{ queue: source.queue.queue }, value(metrics)]],
    );

  return [
    family(
      "millrace_events_accepted_total",
      "counter",
      "Events accepted, as far as any shard has heard; what no shard has met yet is in the queue's backlog.",
      [...accepted].map(([source, events]) => [{ source }, events]),
    ),
    family(
      "millrace_events_applied_total",
      "counter",
      "Events applied to an operator's state, those that a filter dropped among them.",
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
      "Accepted minus applied, late and dead-lettered.",
      perFlow(({ inFlight }) => inFlight, sure),
    ),
    family(
      "millrace_duplicates_total",
      "counter",
      "Segments (the events of one request) that a shard was given again and skipped.",
      perFlow(({ duplicates }) => duplicates),
    ),
    family(
      "millrace_queue_backlog_messages",
      "gauge",
      "Messages that wait in a queue.",
      perQueue(({ messages }) => messages),
    ),
    family(
      "millrace_queue_backlog_bytes",
      "gauge",
      "Bytes that wait in a queue.",
      perQueue(({ bytes }) => bytes),
    ),
    family(
      "millrace_queue_oldest_message_age_seconds",
      "gauge",
      "How long the oldest message has been waiting; 0 when none waits.",
      perQueue(({ oldestAge }) => (oldestAge ?? 0) / 1000),
    ),
    family(
      "millrace_commits_total",
      "counter",
      "Commits of all shards of an operator.",
      perOperator(({ commits }) => commits),
    ),
    family(
      "millrace_rows_written",
      "gauge",
      "Rows written to storage by an operator's shards, each since it last woke up: it falls when one sleeps.",
      perOperator(({ rowsWritten }) => rowsWritten),
    ),
    family(
      "millrace_keys",
      "gauge",
      "Keys that an operator holds.",
      perOperator(({ keys }) => keys),
    ),
    family(
      "millrace_overflow_events",
      "gauge",
      "Events of keys beyond an operator's limit, counted together.",
      perOperator(({ overflow }) => overflow),
    ),
    family(
      "millrace_buried_messages",
      "gauge",
      "Messages that could not be applied at all.",
      "answer" in buried ? [[{}, buried.answer]] : [],
    ),
    family(
      "millrace_shards_silent",
      "gauge",
      "Shards that did not answer; what depends on them is left out.",
      [...silent].map(([operator, shards]) => [{ operator }, shards]),
    ),
  ].join("");
}
