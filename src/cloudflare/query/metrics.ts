/** Metrics: the counters that ride in the commits, and what waits where, for Prometheus. */
import type { ShardStats } from "../../engine/shard/protocol.ts";
import { isStage } from "../high-water.ts";
import { flowsOf } from "./conservation.ts";
import type { QueryApp, QueryContext } from "./env.ts";
import type { KnownFlow } from "./flow-metrics.ts";
import { flowMetrics } from "./flow-metrics.ts";
import type { Whole } from "./operator-metrics.ts";
import { operatorMetrics } from "./operator-metrics.ts";
import type { Sample } from "./prometheus.ts";
import { CONTENT_TYPE, family } from "./prometheus.ts";
import { described, only, parameters, scoped } from "./routing.ts";
import type { QueueState, Snapshot } from "./snapshot.ts";
import { answered, takeSnapshot } from "./snapshot.ts";
import { watermarkMetrics } from "./watermark-metrics.ts";

export function addMetrics(app: QueryApp, context: QueryContext): void {
  app.get(
    "/metrics",
    described("health", {
      summary: "Prometheus metrics, text format 0.0.4",
      description:
        "On each edge of the plan, accepted = applied + late + dead-lettered + in flight: from an HTTP source by " +
        "`millrace_events_accepted_total`, from one operator to the next by `millrace_events_emitted_total`. What " +
        "depends on a shard that does not answer is left out rather than understated; `millrace_shards_silent` counts " +
        "those.",
      answer: "text/plain",
    }),
    scoped("read"),
    parameters({}),
    async (c) => c.body(metricsOf(await takeSnapshot(c.env, context)), 200, { "content-type": CONTENT_TYPE }),
  );
  only(app, "/metrics", "GET");
}

function metricsOf(snapshot: Snapshot): string {
  const { now, operators, buried } = snapshot;
  const whole: Whole[] = operators.flatMap(({ operator, shards }) => {
    const stats = answered(shards);
    return stats.length === shards.length ? [{ operator, stats }] : [];
  });
  return [
    flowMetrics(knownFlows(snapshot, whole)),
    queueMetrics(snapshot),
    operatorMetrics(whole, now),
    watermarkMetrics(snapshot),
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
      operators.map(({ operator, shards }) => [
        { operator: operator.name },
        shards.length - answered(shards).length,
      ]),
    ),
  ].join("");
}

/** The flows into operators of which all shards have answered. */
function knownFlows({ operators }: Snapshot, whole: readonly Whole[]): KnownFlow[] {
  const names = new Set(operators.map(({ operator }) => operator.name));
  const answering = new Set(whole.map(({ operator }) => operator.name));
  // Of what comes from a silent operator nobody else knows how much it is; of what comes from an HTTP source, a silent
  // shard of any operator that reads it may know the most.
  const unsure = new Set(
    operators
      .filter(({ operator }) => !answering.has(operator.name))
      .flatMap(({ operator }) => [operator.name, ...operator.sources.filter((source) => !names.has(source))]),
  );
  const reports = whole.flatMap(({ operator, stats }) =>
    stats.map((one: ShardStats) => ({ ...one, operator: operator.name })),
  );
  const flows = flowsOf(
    operators.map(({ operator }) => operator),
    reports,
  );
  return flows
    .filter(({ operator }) => answering.has(operator))
    .map((flow) => ({ ...flow, internal: names.has(flow.source), sure: !unsure.has(flow.source) }));
}

function queueMetrics({ queues }: Snapshot): string {
  const perQueue = (value: (state: QueueState) => number): Sample[] =>
    queues.flatMap(({ owner, metrics }): Sample[] => {
      const labels = { queue: owner.queue.queue, kind: isStage(owner) ? "stage" : "source" };
      return metrics === null ? [] : [[labels, value(metrics)]];
    });
  return [
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
  ].join("");
}
