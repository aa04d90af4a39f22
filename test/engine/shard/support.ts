/** What the tests of a shard's parts share: whole events as segments, and what stands in outboxes and dead letters. */
import { unseal } from "../../../src/engine/envelope.ts";
import type { Backlog, EventQueue, QueueLimits } from "../../../src/engine/event-queue.ts";
import type { DeadEvent } from "../../../src/engine/segment.ts";
import { ProducerKind, RECORD_WIDTH } from "../../../src/engine/segment.ts";
import type { OutboxEntry } from "../../../src/engine/shard/outbox.ts";
import type { DeadLetter, ShardSegment } from "../../../src/engine/shard/protocol.ts";
import type { Shard } from "../../../src/engine/shard/shard.ts";
import { QueueError } from "../../../src/errors.ts";
import { Sink } from "../../../src/index.ts";
import { NOW, segment } from "../support.ts";

/** A sink that takes everything, for operators that need a reader. */
export class Nowhere extends Sink<unknown> {
  async write(): Promise<void> {}
}

export interface Given {
  readonly key?: string;
  readonly id?: string;
  readonly time?: number;
  readonly data?: unknown;
  readonly port?: number;
  readonly n?: number;
}

/** A segment of whole events, as operators get them that see each one. */
export function eventSegment(
  sequence: number,
  events: readonly Given[],
  more: Partial<ShardSegment> = {},
): ShardSegment {
  const records = events.flatMap(({ key = "", id, time = NOW, data = null, port, n = 1 }, at) => [
    key,
    [id ?? `e${sequence}.${at}`, time, data, ...(port === undefined ? [] : [port])],
    n,
  ]);
  return segment(sequence, {}, { records, events: events.length, ...more });
}

/** A segment as it comes from another shard. */
export function channelSegment(
  sequence: number,
  events: readonly Given[],
  source = "upstream",
): ShardSegment {
  return eventSegment(sequence, events, { kind: ProducerKind.channel, source });
}

export interface Emitted {
  readonly key: string;
  readonly id: string;
  readonly time: number;
  readonly data: unknown;
  readonly n: number;
}

/** The whole events in outbox entries, in order; for destinations that see each one. */
export function eventsOf(entries: readonly Pick<OutboxEntry, "content">[]): Emitted[] {
  return entries.flatMap(({ content }) => {
    const { records } = unseal(content);
    return Array.from({ length: records.length / RECORD_WIDTH }, (_, at) => {
      const [key, [id, time, data], n] = records.slice(at * RECORD_WIDTH) as [
        string,
        [string, number, unknown],
        number,
      ];
      return { key, id, time, data, n };
    });
  });
}

export function deadOf(entries: readonly Pick<OutboxEntry, "content">[]): DeadEvent[] {
  return entries.flatMap(({ content }) => [...unseal(content).dead]);
}

/** What waits in a shard's outbox, all of it. */
export function emittedBy(shard: Shard): Emitted[] {
  return eventsOf(shard.outbox.entries());
}

export function lettersOf(shard: Shard): DeadLetter[] {
  return shard.options.store.listDeadLetters(0, 1e6).map(({ data }) => JSON.parse(data) as DeadLetter);
}

/** Confirms all that the outbox holds, as if it had been handed over. @returns what it was. */
export function takeOutbox(shard: Shard): OutboxEntry[] {
  const entries = shard.outbox.entries();
  for (const { destination, sequence } of entries) shard.confirm(destination, sequence + 1);
  return entries;
}

/** A queue that takes what a real one would, and refuses what it would refuse. */
export class StrictQueue implements EventQueue {
  readonly limits: QueueLimits = { messages: 100, messageBytes: 127_000, sendBytes: 245_000 };
  readonly sends: (readonly string[])[] = [];
  /** Throws to make the next sends fail. */
  check: () => void = () => undefined;

  get messages(): string[] {
    return this.sends.flat();
  }

  async send(messages: readonly string[]): Promise<void> {
    this.check();
    const bytes = messages.map((message) => new TextEncoder().encode(message).length);
    const sum = bytes.reduce((total, one) => total + one, 0);
    if (messages.length === 0 || messages.length > this.limits.messages) {
      throw new QueueError(`a send of ${messages.length} messages`, "none");
    }
    if (Math.max(...bytes) > this.limits.messageBytes || sum > this.limits.sendBytes) {
      throw new QueueError(`a send of ${sum} bytes, the largest message ${Math.max(...bytes)}`, "none");
    }
    this.sends.push(messages);
  }

  async backlog(): Promise<Backlog> {
    return { messages: this.messages.length, bytes: 0 };
  }
}
