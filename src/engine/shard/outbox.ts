/**
 * Outbox: what a shard has emitted and its destination has not confirmed, in order, one channel per destination.
 *
 * An output becomes durable in the commit that made it, as a segment of a producer of its own: this shard towards that
 * destination. It is handed over until it is confirmed, so at least once, and in order, so the destination's memory of
 * what it has applied is a single number. Confirmations ride in the next commit; one that is lost in a crash makes
 * segments go out again, which the destination knows.
 */
import { fingerprintOf } from "../../hash.ts";
import type { ShardCounters } from "./counters.ts";

export interface OutboxEntry {
  /** `{operator}/{shard}` */
  readonly destination: string;
  readonly sequence: number;
  /** When it was committed, epoch milliseconds. */
  readonly arrival: number;
  readonly events: number;
  /** Events in the earlier segments of this channel. */
  readonly before: number;
  /** Sealed. */
  readonly content: string;
  /** The earliest event time of what was emitted with it, epoch milliseconds; absent in what older code has written. */
  readonly time?: number;
}

interface Channel {
  entries: OutboxEntry[];
  /** All below it have been confirmed. */
  confirmed: number;
}

/** What an entry takes besides its content, about. */
const ENTRY_BYTES = 200;

export class Outbox {
  readonly #channels = new Map<string, Channel>();
  #bytes = 0;
  #size = 0;

  /** What is unconfirmed, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Segments that are unconfirmed. */
  get size(): number {
    return this.#size;
  }

  /** Destinations for which something is unconfirmed. */
  get destinations(): string[] {
    return [...this.#channels].filter(([, { entries }]) => entries.length > 0).map(([name]) => name);
  }

  /** Takes a committed output; again on replay, where what is there or confirmed is passed over. */
  add(entry: OutboxEntry): void {
    const channel = this.#channel(entry.destination);
    const last = channel.entries.at(-1)?.sequence ?? channel.confirmed - 1;
    if (entry.sequence <= last) return;
    channel.entries.push(entry);
    this.#count(entry, 1);
  }

  /** The oldest unconfirmed entries of a destination, at least one if there is any, of about `maxBytes` in all. */
  pending(destination: string, maxBytes: number): OutboxEntry[] {
    const { entries } = this.#channel(destination);
    let bytes = 0;
    let n = 0;
    while (n < entries.length && (n === 0 || bytes < maxBytes)) bytes += sizeOf(entries[n++] as OutboxEntry);
    return entries.slice(0, n);
  }

  /** The destination has committed everything below `sequence`. */
  confirm(destination: string, sequence: number): void {
    const channel = this.#channel(destination);
    if (sequence <= channel.confirmed) return;
    channel.confirmed = sequence;
    const rest = channel.entries.findIndex((entry) => entry.sequence >= sequence);
    const gone = channel.entries.splice(0, rest === -1 ? channel.entries.length : rest);
    for (const entry of gone) this.#count(entry, -1);
  }

  /** Takes over the confirmations that commits have stored, and tells those that they have not. */
  reconcile(channels: ShardCounters["channels"]): void {
    for (const [destination, counters] of Object.entries(channels ?? {})) {
      this.confirm(destination, counters.confirmed);
      counters.confirmed = this.#channel(destination).confirmed;
    }
  }

  /** All unconfirmed entries, for a checkpoint. */
  entries(): OutboxEntry[] {
    return [...this.#channels.values()].flatMap(({ entries }) => entries);
  }

  /** When the oldest unconfirmed entry was committed, epoch milliseconds. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const { entries } of this.#channels.values()) {
      const first = entries[0]?.arrival;
      if (first !== undefined && (oldest === undefined || first < oldest)) oldest = first;
    }
    return oldest;
  }

  /** The earliest event time in what is unconfirmed, of the destinations that `counts` holds for; undefined when there is none. */
  earliest(counts: (operator: string) => boolean): number | undefined {
    let earliest: number | undefined;
    for (const [destination, { entries }] of this.#channels) {
      if (entries.length === 0 || !counts(parseDestination(destination).operator)) continue;
      for (const { time = 0 } of entries) if (earliest === undefined || time < earliest) earliest = time;
    }
    return earliest;
  }

  #channel(destination: string): Channel {
    let channel = this.#channels.get(destination);
    if (channel === undefined) {
      channel = { entries: [], confirmed: 0 };
      this.#channels.set(destination, channel);
    }
    return channel;
  }

  #count(entry: OutboxEntry, by: 1 | -1): void {
    this.#bytes += by * sizeOf(entry);
    this.#size += by;
  }
}

function sizeOf({ content }: OutboxEntry): number {
  return content.length + ENTRY_BYTES;
}

/** The producer that a destination knows a channel by: 128 bits that follow from where it starts and ends. */
export function channelProducer(generation: number, from: string, destination: string): string {
  const name = `channel ${generation} ${from} ${destination}`;
  return fingerprintOf(name) + fingerprintOf(`${name} again`);
}

export function destinationOf(operator: string, shard: number): string {
  return `${operator}/${shard}`;
}

export function parseDestination(destination: string): { operator: string; shard: number } {
  const slash = destination.lastIndexOf("/");
  return { operator: destination.slice(0, slash), shard: Number(destination.slice(slash + 1)) };
}
