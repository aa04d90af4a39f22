/** Operator metrics: what the shards of each operator hold, and what waits to leave them. */
import type { ShardStats } from "../../engine/shard/protocol.ts";
import { isView } from "../../plan.ts";
import type { Whole } from "./known-flows.ts";
import type { Sample } from "./prometheus.ts";
import { family } from "./prometheus.ts";
import { ageOf } from "./snapshot.ts";

/** @param now epoch milliseconds: ages are counted from it. */
export function operatorMetrics(whole: readonly Whole[], now: number): string {
  return [stateMetrics(whole), outboxMetrics(whole, now), sinkMetrics(whole), timerMetrics(whole, now)].join(
    "",
  );
}

function stateMetrics(whole: readonly Whole[]): string {
  const views = whole.filter(({ operator }) => isView(operator));
  const perOperator = (value: (stats: ShardStats) => number, of = whole): Sample[] =>
    of.map(({ operator, stats }) => [{ operator: operator.name }, sum(stats.map(value))]);
  return [
    family(
      "millrace_commits_total",
      "counter",
      "Commits of all shards of an operator.",
      perOperator(({ commits }) => commits),
    ),
    family(
      "millrace_keys",
      "gauge",
      "Keys that an operator holds.",
      perOperator(({ keys }) => keys, views),
    ),
    family(
      "millrace_overflow_events",
      "gauge",
      "Events of keys beyond an operator's limit, counted together.",
      perOperator(({ overflow }) => overflow, views),
    ),
    family(
      "millrace_shards_busy",
      "gauge",
      "Shards that take nothing in until what they emit or buffer has left.",
      whole.map((one) => [labelsOf(one), one.stats.filter(({ busy }) => busy).length]),
    ),
  ].join("");
}

function outboxMetrics(whole: readonly Whole[], now: number): string {
  return [
    family(
      "millrace_outbox_segments",
      "gauge",
      "Segments that an operator has emitted and their readers have not confirmed.",
      whole.map((one) => [labelsOf(one), sum(one.stats.map(({ outbox }) => outbox.segments))]),
    ),
    family(
      "millrace_outbox_bytes",
      "gauge",
      "What those segments take.",
      whole.map((one) => [labelsOf(one), sum(one.stats.map(({ outbox }) => outbox.bytes))]),
    ),
    family(
      "millrace_outbox_oldest_age_seconds",
      "gauge",
      "How long the oldest of those segments has been waiting; 0 when none waits.",
      whole.map((one) => {
        const ages = one.stats.map(({ outbox }) => ageOf(outbox.oldest, now) ?? 0);
        return [labelsOf(one), Math.max(0, ...ages) / 1000];
      }),
    ),
  ].join("");
}

function sinkMetrics(whole: readonly Whole[]): string {
  const sinks = whole.filter(({ operator }) => operator.kind === "sink");
  const perSink = (value: (sink: NonNullable<ShardStats["sink"]>) => number): Sample[] =>
    sinks.map((one) => [labelsOf(one), sum(one.stats.map(({ sink }) => (sink ? value(sink) : 0)))]);
  return [
    family(
      "millrace_sink_buffered_events",
      "gauge",
      "Events that a sink has taken and not yet delivered.",
      perSink(({ buffered }) => buffered),
    ),
    family(
      "millrace_sink_buffered_bytes",
      "gauge",
      "What those events take, as JSON.",
      perSink(({ bytes }) => bytes),
    ),
    family(
      "millrace_sink_delivered_events_total",
      "counter",
      "Events that a sink has delivered.",
      perSink(({ delivered }) => delivered),
    ),
    family(
      "millrace_sink_discarded_events_total",
      "counter",
      "Events that a sink has given up: its target rejected them (they are dead letters), or they were erased.",
      perSink(({ discarded }) => discarded),
    ),
  ].join("");
}

function timerMetrics(whole: readonly Whole[], now: number): string {
  const armed = whole.flatMap((one): { one: Whole; next: number }[] => {
    const timers = one.stats.flatMap(({ nextTimer }) => nextTimer ?? []);
    return timers.length === 0 ? [] : [{ one, next: Math.min(...timers) }];
  });
  return [
    family(
      "millrace_next_timer_timestamp_seconds",
      "gauge",
      "When an operator's next timer is due, Unix time; absent when none is set.",
      armed.map(({ one, next }) => [labelsOf(one), next / 1000]),
    ),
    family(
      "millrace_timer_lag_seconds",
      "gauge",
      "How long that timer has been overdue; 0 when it is not.",
      armed.map(({ one, next }) => [labelsOf(one), Math.max(0, now - next) / 1000]),
    ),
  ].join("");
}

function labelsOf({ operator }: Whole): { operator: string; kind: string } {
  return { operator: operator.name, kind: operator.kind };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
