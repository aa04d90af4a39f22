/**
 * Conservation: accepted = applied + late + dead-lettered + in flight, on each edge of the plan, from what shards report.
 *
 * From one operator to the next the count is plain: shards say how many events they have emitted to each. What comes
 * from an HTTP source nobody counts in one place: each shard knows of each producer what its segments have told it. What
 * was accepted but is still wholly unread (no shard has met it, nor any later segment of its producer) is therefore
 * in no count here; it shows in the queue's backlog.
 */

import { ProducerKind } from "../../engine/segment.ts";
import type { FlowCounters, ProducerCount } from "../../engine/shard/protocol.ts";

/** One shard's counters: a part of its `stats()`. */
export interface ShardReport {
  readonly operator: string;
  readonly flows: Readonly<Record<string, FlowCounters>>;
  readonly producers: readonly ProducerCount[];
  readonly retired: Readonly<Record<string, number>>;
  readonly emitted: Readonly<Record<string, number>>;
}

/** An operator and what feeds it: HTTP sources and other operators. */
export interface Branches {
  readonly name: string;
  readonly sources: readonly string[];
}

/** What became of the events of one source at one operator. All are numbers of events, except `duplicates`. */
export interface Flow {
  /** An HTTP source, or the operator that emits them. */
  readonly source: string;
  readonly operator: string;
  /** For an operator as source: what it has emitted to this one. */
  readonly accepted: number;
  readonly applied: number;
  readonly late: number;
  readonly dead: number;
  /** Accepted, and nothing else yet. Never negative: shards are read one after the other, while events flow. */
  readonly inFlight: number;
  /** Segments (not events) that were delivered again and skipped. */
  readonly duplicates: number;
}

/**
 * Events known to be accepted, by HTTP source.
 *
 * An isolate's segments say how many events went before them, so the most that any shard has heard is the count. A
 * client's segment is counted by one shard of each operator, so an operator's shards add up, and the operator that is
 * furthest ahead has the count. Of producers that are forgotten, each shard knows what it has accounted for itself.
 */
export function acceptedBySource(reports: readonly ShardReport[]): Map<string, number> {
  const counts = new Map<string, { source: string; isolate: number; client: Map<string, number> }>();
  for (const { operator, producers } of reports) {
    for (const { producer, kind, source, counted } of producers) {
      // What is redriven was counted when it was first accepted, what an operator emits is counted there.
      if (kind !== ProducerKind.isolate && kind !== ProducerKind.client) continue;
      const id = `${source}/${producer}`;
      const count = counts.get(id) ?? { source, isolate: 0, client: new Map<string, number>() };
      counts.set(id, count);
      if (kind === ProducerKind.isolate) count.isolate = Math.max(count.isolate, counted);
      else count.client.set(operator, (count.client.get(operator) ?? 0) + counted);
    }
  }
  const accepted = retiredBySource(reports);
  for (const { source, isolate, client } of counts.values()) {
    const counted = Math.max(isolate, ...client.values());
    accepted.set(source, (accepted.get(source) ?? 0) + counted);
  }
  return accepted;
}

function retiredBySource(reports: readonly ShardReport[]): Map<string, number> {
  const sums = new Map<string, Map<string, number>>();
  for (const { operator, retired } of reports) {
    for (const [source, events] of Object.entries(retired)) {
      const sum = sums.get(source) ?? new Map<string, number>();
      sums.set(source, sum.set(operator, (sum.get(operator) ?? 0) + events));
    }
  }
  return new Map([...sums].map(([source, byOperator]) => [source, Math.max(...byOperator.values())]));
}

/** Events that each operator's shards have emitted to another, by both names. */
function emittedBetween(reports: readonly ShardReport[]): Map<string, Map<string, number>> {
  const emitted = new Map<string, Map<string, number>>();
  for (const report of reports) {
    const readers = emitted.get(report.operator) ?? new Map<string, number>();
    emitted.set(report.operator, readers);
    for (const [reader, events] of Object.entries(report.emitted)) {
      readers.set(reader, (readers.get(reader) ?? 0) + events);
    }
  }
  return emitted;
}

/**
 * The flow on each edge into these operators, the idle ones with zeros.
 *
 * @param operators all of the plan: a source that is one of them is an operator, any other an HTTP source.
 */
export function flowsOf(operators: Iterable<Branches>, reports: readonly ShardReport[]): Flow[] {
  const all = [...operators];
  const names = new Set(all.map(({ name }) => name));
  const accepted = acceptedBySource(reports);
  const emitted = emittedBetween(reports);
  return all.flatMap(({ name, sources }) =>
    sources.map((source) => {
      const sum = { applied: 0, late: 0, dead: 0, duplicates: 0 };
      for (const { operator, flows } of reports) {
        if (operator !== name || !Object.hasOwn(flows, source)) continue;
        const flow = flows[source] as FlowCounters;
        sum.applied += flow.applied;
        sum.late += flow.late;
        sum.dead += flow.dead;
        sum.duplicates += flow.duplicates;
      }
      const known = (names.has(source) ? emitted.get(source)?.get(name) : accepted.get(source)) ?? 0;
      const inFlight = Math.max(0, known - sum.applied - sum.late - sum.dead);
      return { source, operator: name, accepted: known, ...sum, inFlight };
    }),
  );
}
