/**
 * Which segments a shard has applied: per producer a contiguous prefix and, above it, a sparse bitmap of what came early.
 *
 * Producers number their segments 0, 1, 2, …, so in the long run everything collapses into one number per producer. One
 * bit for what is out of order affords a duplicate window of two weeks, where a row or an id per message would not fit.
 */
import { StateError } from "../errors.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { SequenceSet } from "./sequence-set.ts";

const PRODUCER_BYTES = 256;
const FORMAT = 1;
/** ProducerKind.channel: as many as there are shards upstream, and they never go away. */
const CHANNEL = 3;
/** ProducerKind.isolate: the arrival of its segments is the same in every copy, so it can be forgotten by time. */
const ISOLATE = 0;

export type SegmentStatus =
  | "new"
  | "applied"
  /** Its bit was given up to keep the bound: nobody knows whether it was applied. */
  | "forgotten";

export interface SegmentOrigin {
  readonly kind: number;
  readonly source: string;
  /** Epoch milliseconds. */
  readonly arrival: number;
}

export interface ProducerRecord {
  /** All sequences below it are settled. */
  readonly prefix: number;
  /** Events known to have been accepted from this producer; see ProducerKind for how they are counted. */
  readonly counted: number;
  /** Events of this producer that are accounted for here: applied, late or dead. */
  readonly settled: number;
  readonly kind: number;
  readonly source: string;
  /** The latest arrival time seen of it, epoch milliseconds. */
  readonly lastSeen: number;
}

interface Producer {
  readonly sequences: SequenceSet;
  /** What arrived up to then may have been applied before this record was made: the producer may have been forgotten. */
  knownFrom: number;
  counted: number;
  settled: number;
  kind: number;
  source: string;
  lastSeen: number;
}

export class AppliedSegments {
  readonly #producers = new Map<string, Producer>();
  /** Producers last seen before this time may have been forgotten whole. */
  #forgottenBefore = 0;
  readonly #retired = new Map<string, number>();
  #isolates = 0;
  #bytes = 0;

  readonly maxBytes: number;

  /**
   * @param maxBytes the bound: past it, the oldest gaps of the producer with the most of them are given up, or, where
   * it is the number of isolates, those that were not seen for the longest time. (Clients are not forgotten, as a
   * client's copy may arrive at any time: they must be few.)
   */
  constructor(maxBytes = 4 * 1024 * 1024) {
    this.maxBytes = maxBytes;
  }

  /** What the bitmaps take in memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param arrival of the segment: that of a producer which may have been forgotten is not new. */
  status(producer: string, sequence: number, arrival: number = Number.POSITIVE_INFINITY): SegmentStatus {
    const known = this.#producers.get(producer);
    if (known === undefined) return arrival < this.#forgottenBefore ? "forgotten" : "new";
    if (sequence < known.sequences.fence) return "forgotten";
    if (known.sequences.has(sequence)) return "applied";
    return arrival < known.knownFrom ? "forgotten" : "new";
  }

  /** Marks a segment as applied. Idempotent. */
  add(producer: string, sequence: number, origin: SegmentOrigin): void {
    const known = this.#meet(producer, origin);
    const before = known.sequences.bytes;
    known.sequences.add(sequence);
    this.#bytes += known.sequences.bytes - before;
    if (known.sequences.bytes > before) this.#keepBound();
  }

  /** Knows a producer from now on, of which no segment is wholly applied yet. */
  meet(producer: string, origin: SegmentOrigin): void {
    this.#meet(producer, origin);
  }

  #meet(producer: string, origin: SegmentOrigin): Producer {
    let known = this.#producers.get(producer);
    if (known === undefined) {
      const { kind, source, arrival } = origin;
      if (kind === ISOLATE && (this.#isolates + 1) * PRODUCER_BYTES > this.maxBytes * 0.75)
        this.#forgetOldest();
      known = {
        sequences: new SequenceSet(),
        knownFrom: kind === ISOLATE ? this.#forgottenBefore : 0,
        counted: 0,
        settled: 0,
        kind,
        source,
        lastSeen: arrival,
      };
      this.#remember(producer, known);
      this.#keepBound();
    }
    known.lastSeen = Math.max(known.lastSeen, origin.arrival);
    return known;
  }

  /** Sets how many events a producer that `add` has seen is known to have sent, and how many are accounted for here. */
  setCounted(producer: string, counted: number, settled: number): void {
    const known = this.#producers.get(producer);
    if (known === undefined) return;
    known.counted = counted;
    known.settled = settled;
  }

  /** Per source, the events accounted for here of producers that are forgotten, or about to be: last seen before `time`. */
  retired(time: number): Map<string, number> {
    const retired = new Map(this.#retired);
    for (const { source, lastSeen, settled, kind } of this.#producers.values()) {
      if (lastSeen < time && kind !== CHANNEL) retired.set(source, (retired.get(source) ?? 0) + settled);
    }
    return retired;
  }

  record(producer: string): ProducerRecord | undefined {
    const known = this.#producers.get(producer);
    return known === undefined ? undefined : recordOf(known);
  }

  *records(): IterableIterator<[producer: string, record: ProducerRecord]> {
    for (const [id, producer] of this.#producers) yield [id, recordOf(producer)];
  }

  /** Forgets producers that were last seen before `time`; their segments must be refused from then on (the horizon). */
  forgetBefore(time: number): void {
    for (const [id, producer] of this.#producers) {
      if (producer.lastSeen >= time || producer.kind === CHANNEL) continue;
      this.#forget(id, producer);
    }
  }

  encode(): Uint8Array {
    const writer = new ByteWriter();
    writer.varint(FORMAT);
    writer.varint(this.#forgottenBefore);
    const active = [...this.#producers.values()].map((producer) => producer.source);
    const sources = [...new Set([...active, ...this.#retired.keys()])];
    writer.varint(sources.length);
    for (const source of sources) {
      writer.string(source);
      writer.varint(this.#retired.get(source) ?? 0);
    }
    writer.varint(this.#producers.size);
    for (const [id, producer] of this.#producers) {
      writer.hex(id);
      writer.varint(sources.indexOf(producer.source));
      writer.varint(producer.kind);
      writer.varint(producer.knownFrom);
      writer.varint(producer.counted);
      writer.varint(producer.settled);
      writer.varint(producer.lastSeen);
      producer.sequences.encode(writer);
    }
    return writer.finish();
  }

  /** @throws StateError when the bytes are of a format that this code does not know. */
  static decode(bytes: Uint8Array, maxBytes?: number): AppliedSegments {
    const applied = new AppliedSegments(maxBytes);
    const reader = new ByteReader(bytes);
    const format = reader.varint();
    if (format !== FORMAT)
      throw new StateError(`applied segments of format ${format}; this code knows ${FORMAT}`);
    applied.#forgottenBefore = reader.varint();
    const sources = Array.from({ length: reader.varint() }, () => {
      const source = reader.string();
      const retired = reader.varint();
      if (retired > 0) applied.#retired.set(source, retired);
      return source;
    });
    for (let left = reader.varint(); left > 0; left--) {
      const id = reader.hex(16);
      const source = sources[reader.varint()] ?? "";
      const kind = reader.varint();
      const producer: Producer = {
        source,
        kind,
        knownFrom: reader.varint(),
        counted: reader.varint(),
        settled: reader.varint(),
        lastSeen: reader.varint(),
        sequences: SequenceSet.decode(reader),
      };
      applied.#remember(id, producer);
    }
    return applied;
  }

  /** Whatever the producers take, a quarter of the bound is for gaps. */
  #keepBound(): void {
    const producers = this.#producers.size * PRODUCER_BYTES;
    const forGaps = Math.max(this.maxBytes - producers, this.maxBytes / 4);
    while (this.#bytes - producers > forGaps && this.#giveUpOldestGap());
  }

  /** A quarter of the isolates at once, as they have to be sorted. */
  #forgetOldest(): void {
    const isolates = [...this.#producers].filter(([, producer]) => producer.kind === ISOLATE);
    isolates.sort(([, a], [, b]) => a.lastSeen - b.lastSeen);
    for (const [id, producer] of isolates.slice(0, Math.ceil(isolates.length / 4))) {
      this.#forgottenBefore = Math.max(this.#forgottenBefore, producer.lastSeen + 1);
      this.#forget(id, producer);
    }
  }

  #remember(id: string, producer: Producer): void {
    this.#producers.set(id, producer);
    this.#bytes += PRODUCER_BYTES + producer.sequences.bytes;
    if (producer.kind === ISOLATE) this.#isolates++;
  }

  #forget(id: string, producer: Producer): void {
    const { source, settled } = producer;
    if (settled > 0) this.#retired.set(source, (this.#retired.get(source) ?? 0) + settled);
    this.#producers.delete(id);
    this.#bytes -= PRODUCER_BYTES + producer.sequences.bytes;
    if (producer.kind === ISOLATE) this.#isolates--;
  }

  #giveUpOldestGap(): boolean {
    let widest: SequenceSet | undefined;
    for (const { sequences } of this.#producers.values()) {
      if (sequences.chunks > (widest?.chunks ?? 0)) widest = sequences;
    }
    if (widest === undefined) return false;
    const before = widest.bytes;
    widest.giveUpLowest();
    this.#bytes += widest.bytes - before;
    return true;
  }
}

function recordOf({ sequences, counted, settled, kind, source, lastSeen }: Producer): ProducerRecord {
  return { prefix: sequences.prefix, counted, settled, kind, source, lastSeen };
}
