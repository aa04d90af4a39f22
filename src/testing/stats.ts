/** Stats: what an operator has applied, and what waits where. */
import type { FlowCounters } from "../engine/shard/protocol.ts";
import { readStats } from "../engine/shard/reader.ts";
import { queuesOf } from "../plan.ts";
import type { TestRuntime } from "./test-runtime.ts";

export interface TestStats {
  readonly keys: number;
  /** Sum of the values, where they are numbers. */
  readonly total: number;
  /** Per source or operator that feeds it, what became of its events. */
  readonly flows: Readonly<Record<string, FlowCounters>>;
  /** Per operator that reads it, the events that were emitted to it. */
  readonly emitted: Readonly<Record<string, number>>;
}

export interface TestBacklog {
  /** Per source and stage, the messages in its queue. */
  readonly queues: Readonly<Record<string, number>>;
  /** Per operator, the segments that have not been handed over. */
  readonly outboxes: Readonly<Record<string, number>>;
  /** Per sink, the events that have not been written. */
  readonly sinks: Readonly<Record<string, number>>;
}

/** Over all shards. @throws PlanError when there is no such operator. */
export function statsOf({ shards }: TestRuntime, operator: string): TestStats {
  let [keys, total] = [0, 0];
  const flows: Record<string, FlowCounters> = {};
  const emitted: Record<string, number> = {};
  for (const stats of shards.shardsOf(operator).map(readStats)) {
    keys += stats.keys;
    total += stats.total;
    for (const [source, flow] of Object.entries(stats.flows)) {
      const sum = flows[source] ?? { applied: 0, late: 0, dead: 0, duplicates: 0 };
      flows[source] = {
        applied: sum.applied + flow.applied,
        late: sum.late + flow.late,
        dead: sum.dead + flow.dead,
        duplicates: sum.duplicates + flow.duplicates,
      };
    }
    for (const [reader, events] of Object.entries(stats.emitted)) {
      emitted[reader] = (emitted[reader] ?? 0) + events;
    }
  }
  return { keys, total, flows, emitted };
}

/** @param but operators that do not count. */
export function backlogOf(runtime: TestRuntime, but: ReadonlySet<string>): TestBacklog {
  const { plan, shards } = runtime;
  const queues = queuesOf(plan).map(({ name, queue }) => [name, runtime.queue(queue).size] as const);
  const outboxes: Record<string, number> = {};
  const sinks: Record<string, number> = {};
  for (const { name, kind } of plan.operators.values()) {
    if (but.has(name)) continue;
    const all = shards.shardsOf(name).map(readStats);
    if (kind === "sink") sinks[name] = sum(all.map((stats) => stats.sink?.buffered ?? 0));
    else outboxes[name] = sum(all.map((stats) => stats.outbox.segments));
  }
  return { queues: Object.fromEntries(queues), outboxes, sinks };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
