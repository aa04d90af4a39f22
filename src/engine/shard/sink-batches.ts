/** Sink batches: fixes the next batch of a sink's shard, hands it out, and forgets it when it is written. */
import type { Event } from "../../event.ts";
import type { SinkPlan } from "../../plan.ts";
import type { SinkBatch } from "../../sink.ts";
import { sinkOf } from "./counters.ts";
import type { BufferedEvent } from "./processors/sink.ts";
import { bufferKey, closeBatch, SinkProcessor } from "./processors/sink.ts";
import type { Shard } from "./shard.ts";

/** When the shard has something to write, epoch milliseconds; undefined when it has nothing. */
export function sinkDueAt(shard: Shard): number | undefined {
  return shard.processor instanceof SinkProcessor ? shard.processor.dueAt(shard.counters.sink) : undefined;
}

/** The batch to write now, fixed by a commit unless it was before; undefined when none is due. */
export function takeBatch(shard: Shard, now: number): SinkBatch<unknown> | undefined {
  const { processor, options } = shard;
  const due = sinkDueAt(shard);
  if (!(processor instanceof SinkProcessor) || due === undefined || due > now) return undefined;
  if (shard.counters.sink?.batch === undefined) fixBatch(shard, options.operator as SinkPlan);
  const { sink } = shard.counters;
  if (sink?.batch === undefined) return undefined;
  const { number, opened } = sink.batch;
  const operator = options.operator.name;
  return {
    id: `${operator}/${options.shard}/${number}`,
    operator,
    shard: options.shard,
    number,
    opened,
    events: eventsOf(shard, processor).map(({ event }) => event as Event<unknown>),
  };
}

/**
 * The batch has been written, or will never be: its events leave the buffer.
 *
 * @param rejected those of its events that the target will never take, and why: they become dead letters.
 */
export function finishBatch(
  shard: Shard,
  batch: SinkBatch<unknown>,
  rejected: ReadonlyMap<Event<unknown>, string>,
): void {
  const { processor, options, counters } = shard;
  const { sink } = counters;
  if (!(processor instanceof SinkProcessor) || sink?.batch?.number !== batch.number) return;
  const events = eventsOf(shard, processor);
  shard.transact([], (commit) => {
    const after = sinkOf(commit.counters);
    let letters = 0;
    for (const [at, { number, source, event }] of events.entries()) {
      commit.put(bufferKey(number), null);
      const error = rejected.get(batch.events[at] as Event<unknown>);
      if (error === undefined) continue;
      letters++;
      // The event was applied when it was buffered: the letter stands for it without counting it again.
      commit.bury({ source, operator: options.operator.name, error, n: 0, event });
    }
    after.first = (after.batch?.upTo ?? 0) + 1;
    after.bytes = Math.max(0, after.bytes - (after.batch?.bytes ?? 0));
    after.delivered += events.length - letters;
    delete after.batch;
  });
}

/** Fixes a batch of what waits, however little it is: it is due now. */
export function flushBatch(shard: Shard): void {
  const { sink } = shard.counters;
  if (sink === undefined || sink.batch !== undefined || sink.last < sink.first) return;
  fixBatch(shard, shard.options.operator as SinkPlan);
}

function fixBatch(shard: Shard, { batchEvents, batchBytes }: SinkPlan): void {
  shard.transact([], (commit) => {
    const sink = sinkOf(commit.counters);
    let upTo = sink.first - 1;
    let bytes = 0;
    for (const { key, value } of shard.state.entries({ after: bufferKey(sink.first - 1) })) {
      if (upTo - sink.first + 1 >= batchEvents || bytes >= batchBytes) break;
      upTo = Number(key);
      bytes += JSON.stringify((value as readonly unknown[])[2]).length;
    }
    closeBatch(sink, upTo, bytes, upTo < sink.last ? commit.now : 0);
  });
}

function eventsOf(shard: Shard, processor: SinkProcessor): BufferedEvent[] {
  const { sink } = shard.counters;
  const events: BufferedEvent[] = [];
  if (sink?.batch === undefined) return events;
  for (const { key, value } of shard.state.entries({ after: bufferKey(sink.first - 1) })) {
    const buffered = processor.buffered(key, value);
    if (buffered.number > sink.batch.upTo) break;
    events.push(buffered);
  }
  return events;
}
