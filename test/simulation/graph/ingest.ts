/** Ingest: isolates and clients that send to the HTTP sources, and the record of what was accepted. */
import type { VirtualClock } from "../../../src/clock.ts";
import { ProducerKind } from "../../../src/engine/segment.ts";
import { SourceExecutor } from "../../../src/engine/source-executor.ts";
import { TooLargeError } from "../../../src/errors.ts";
import type { Plan } from "../../../src/index.ts";
import type { Random } from "../random.ts";
import type { Accepted } from "./expected.ts";
import type { Faults } from "./faults.ts";
import type { SentRecord } from "./functions.ts";
import type { SimulatedQueue } from "./queue.ts";
import { acceptedOf, drawRecords } from "./records.ts";
import type { Version } from "./spec.ts";
import { VERSIONS } from "./spec.ts";

/** The records of one identity: sent once by an isolate, or any number of times by a client. */
export interface Sent {
  readonly source: string;
  readonly producer: string;
  readonly sequence: number;
  readonly client: boolean;
  readonly records: readonly SentRecord[];
  /** The versions whose copies have arrived in the queue, in this order, with what each had accepted. */
  readonly stored: Map<Version, readonly SentRecord[]>;
  answered: boolean;
}

interface Isolate {
  readonly source: string;
  readonly version: Version;
  readonly producer: string;
  sequence: number;
  counted: number;
  /** Something that it sent is lost: its numbers have a gap for good. */
  gap: boolean;
}

export interface IngestWorld {
  readonly plans: Readonly<Record<Version, Plan>>;
  readonly random: Random;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly queues: ReadonlyMap<string, SimulatedQueue>;
  readonly claims: ReadonlyMap<string, string>;
  version: Version;
}

/** Small, so that some requests take several messages. */
const MESSAGE_BYTES = [900, 2_000, 60_000];
/** One event with a long key must fit. */
const WIDE_BYTES = 12_000;

export class Ingest {
  readonly sent: Sent[] = [];
  readonly isolates: Isolate[] = [];
  /** Also those that have gone. */
  readonly everyIsolate: Isolate[] = [];
  readonly #world: IngestWorld;
  readonly #sources: readonly string[];
  readonly #executors = new Map<string, SourceExecutor>();
  readonly #messageBytes: number;
  readonly #clients = new Map<string, number>();
  readonly #ids = { next: 1 };

  /** @param isWide whether keys are long. */
  constructor(world: IngestWorld, isWide: boolean) {
    const { plans, random } = world;
    this.#world = world;
    this.#sources = [...plans.old.sources.keys()];
    const messageBytes = random.pick(MESSAGE_BYTES);
    this.#messageBytes = isWide ? Math.max(messageBytes, WIDE_BYTES) : messageBytes;
    for (const version of VERSIONS) {
      for (const source of plans[version].sources.values()) {
        const executor = new SourceExecutor(plans[version], source, fingerprintOf(plans[version], version));
        this.#executors.set(`${source.name} ${version}`, executor);
      }
    }
    for (const source of this.#sources)
      this.isolates.push(this.#newIsolate(source), this.#newIsolate(source));
    for (let n = 0; n < 2; n++) this.#clients.set(random.hex(32), 0);
  }

  act(): void {
    const { random } = this.#world;
    if (random.chance(0.5)) {
      this.isolateSends(random.pick(this.isolates), random.pick([1, 3, 12]));
      return;
    }
    const waiting = this.waiting();
    if (waiting.length > 0 && random.chance(0.6)) this.retry(random.pick(waiting));
    else this.#clientSends();
  }

  /** Requests of clients that have no answer yet. */
  waiting(): Sent[] {
    return this.sent.filter(({ client, answered }) => client && !answered);
  }

  replaceIsolate(): void {
    const at = this.#world.random.int(0, this.isolates.length - 1);
    this.isolates[at] = this.#newIsolate((this.isolates[at] as Isolate).source);
  }

  isolateSends(isolate: Isolate, most: number): void {
    const { clock } = this.#world;
    const { source, producer, sequence, version } = isolate;
    const executor = this.#executors.get(`${source} ${version}`) as SourceExecutor;
    const records = drawRecords(this.#world.random, most, this.#ids);
    const arrival = clock.now();
    const reading = executor.read(
      records.map((value, index) => ({ index, value })),
      `${producer}.${sequence}`,
      arrival,
    );
    const accepted = acceptedOf(records, reading);
    if (reading.accepted === 0) return;
    const identity = {
      producer,
      sequence,
      kind: ProducerKind.isolate,
      arrival,
      before: isolate.counted,
      single: false,
    };
    const limits = { messages: 100, messageBytes: this.#messageBytes, sendBytes: 2_000_000 };
    const { messages, segments } = executor.pack(reading, identity, limits);
    const sent: Sent = {
      source,
      producer,
      sequence,
      client: false,
      records,
      stored: new Map(),
      answered: false,
    };
    this.sent.push(sent);
    isolate.sequence += segments.length;
    isolate.counted += reading.accepted;
    for (let attempt = 0; attempt < 3 && !sent.answered; attempt++)
      this.#send(sent, version, accepted, messages);
    if (sent.stored.size === 0) isolate.gap = true;
  }

  /** Sends a client's request, perhaps not for the first time, and perhaps with another version. */
  retry(sent: Sent): void {
    const { random, clock, faults, version: current, plans } = this.#world;
    const version = faults.calm || random.chance(0.8) ? current : random.pick<Version>(["old", "new"]);
    const { source, producer, sequence, records } = sent;
    const executor = this.#executors.get(`${source} ${version}`) as SourceExecutor;
    const arrival = clock.now();
    const reading = executor.read(
      records.map((value, index) => ({ index, value })),
      `${producer}.${sequence}`,
      arrival,
    );
    const accepted = acceptedOf(records, reading);
    if (reading.accepted === 0 || !plans[version].sources.has(source)) {
      sent.answered = true;
      return;
    }
    try {
      const identity = { producer, sequence, kind: ProducerKind.client, arrival, before: 0, single: true };
      const limits = { messages: 1, messageBytes: 100_000, sendBytes: 2_000_000 };
      this.#send(sent, version, accepted, executor.pack(reading, identity, limits).messages);
      // The answer may be lost on its way to the client.
      if (sent.answered && faults.strikes("client sends again")) sent.answered = false;
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      sent.answered = true;
    }
  }

  /** What was accepted, each event once, with the version that routed it. */
  accepted(): Accepted[] {
    return this.sent.flatMap((sent) => {
      const version = this.routedBy(sent);
      const records = version === undefined ? [] : (sent.stored.get(version) ?? []);
      return records.map((datum) => ({ source: sent.source, datum, version: version as Version }));
    });
  }

  /** The version whose copy counts: the one that was claimed, or, as long as none is, the first that arrived. */
  routedBy({ producer, sequence, client, stored }: Sent): Version | undefined {
    const held = client ? this.#world.claims.get(`${producer}.${sequence}`) : undefined;
    if (held === undefined) return stored.keys().next().value;
    return VERSIONS.find((version) => fingerprintOf(this.#world.plans[version], version) === held);
  }

  #newIsolate(source: string): Isolate {
    const { random, version } = this.#world;
    const isolate = { source, version, producer: random.hex(32), sequence: 0, counted: 0, gap: false };
    this.everyIsolate.push(isolate);
    return isolate;
  }

  #clientSends(): void {
    const { random } = this.#world;
    const producer = random.pick([...this.#clients.keys()]);
    const sequence = this.#clients.get(producer) as number;
    this.#clients.set(producer, sequence + 1);
    const source = random.pick(this.#sources);
    const records = drawRecords(random, 4, this.#ids);
    const sent: Sent = {
      source,
      producer,
      sequence,
      client: true,
      records,
      stored: new Map(),
      answered: false,
    };
    this.sent.push(sent);
    this.retry(sent);
  }

  /** All messages arrive or none does; whether the sender learns of it is another matter. */
  #send(sent: Sent, version: Version, accepted: readonly SentRecord[], messages: readonly string[]): void {
    const { faults, queues } = this.#world;
    if (faults.strikes("send lost")) return;
    const queue = queues.get(`millrace-${sent.source}`) as SimulatedQueue;
    for (const body of messages) queue.put(body);
    if (!sent.stored.has(version)) sent.stored.set(version, accepted);
    if (!faults.strikes("send arrived, said to have failed")) sent.answered = true;
  }
}

/** What tells the code of one deployment from another; functions that close over a spec look the same. */
export function fingerprintOf(plan: Plan, version: Version): string {
  return `${plan.fingerprint}-${version}`;
}
