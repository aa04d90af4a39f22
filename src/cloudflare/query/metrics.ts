/** Metrics: the counters that ride in the commits, and what waits where, for Prometheus. */
import { isStage } from "../high-water.ts";
import { costMetrics } from "./cost-metrics.ts";
import type { QueryApp, QueryContext } from "./env.ts";
import { flowMetrics } from "./flow-metrics.ts";
import { knownFlows, wholeOf } from "./known-flows.ts";
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
        "those. `millrace_billed_…_total` counts what the platform bills for events, by source and operator as `npm run " +
        "plan` does, for watermarks by job, and for reads of no view in particular as `(query)`; " +
        "`millrace_cost_dollars_total` is what that costs at list prices: see what its help says is left out.",
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
  const whole = wholeOf(snapshot);
  const flows = knownFlows(snapshot);
  return [
    flowMetrics(flows),
    queueMetrics(snapshot),
    operatorMetrics(whole, now),
    watermarkMetrics(snapshot),
    costMetrics(snapshot, flows),
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
