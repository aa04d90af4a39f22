/** Ingest: isolates and clients that send to the HTTP sources, and the record of what was accepted. */
import type { VirtualClock } from "../../../src/clock.ts";
import { ProducerKind } from "../../../src/engine/segment.ts";
import type { Packed } from "../../../src/engine/source/packer.ts";
import { SourceExecutor } from "../../../src/engine/source-executor.ts";
import type { Held, SendOutcome } from "../../../src/engine/watermark/holds.ts";
import { Holds, timeOf } from "../../../src/engine/watermark/holds.ts";
import { TooLargeError } from "../../../src/errors.ts";
import type { Plan } from "../../../src/index.ts";
import { isTimed } from "../../../src/plan/event-time.ts";
import type { Random } from "../random.ts";
import type { Accepted } from "./expected.ts";
import type { Faults } from "./faults.ts";
import type { SentRecord } from "./functions.ts";
import type { HoldReports } from "./hold-reports.ts";
import type { Process } from "./network.ts";
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
  /** When those that have arrived were accepted: a request that is sent again comes later. */
  readonly arrivals: Map<Version, number[]>;
  answered: boolean;
}

/** Who takes requests in: an isolate, as far as its holds go. */
interface Intake extends Process {
  readonly source: string;
  /** Where something behind the source goes by event time. */
  readonly holds: Holds | undefined;
}

interface Isolate extends Intake {
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
  readonly holdReports: HoldReports;
  readonly steady: boolean;
  version: Version;
}

/** A request as it is sent once. */
interface Copy {
  readonly version: Version;
  readonly arrival: number;
  readonly accepted: readonly SentRecord[];
  readonly messages: readonly string[];
}

/** A request that has its arrival, and is not sent yet. */
interface Slow {
  readonly isolate: Isolate;
  readonly send: () => void;
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
  /** Those that take in what clients send, by source and version. */
  readonly #fronts = new Map<string, Intake>();
  readonly #slow: Slow[] = [];

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

  /** Another isolate takes the place of one, which may have died, with its holds open and requests on their way. */
  replaceIsolate(): void {
    const { random, steady } = this.#world;
    const at = random.int(0, this.isolates.length - 1);
    const old = this.isolates[at] as Isolate;
    this.isolates[at] = this.#newIsolate(old.source);
    if (!steady && random.chance(0.5)) this.#die(old);
  }

  /** One of the requests that took their time is sent. */
  sendSlow(): void {
    const { random } = this.#world;
    if (this.#slow.length === 0) return;
    const [slow] = this.#slow.splice(random.int(0, this.#slow.length - 1), 1) as [Slow];
    slow.send();
  }

  /** Isolates close the holds that are over, as their timers tell them to. */
  closeHolds(): void {
    const { clock, holdReports } = this.#world;
    for (const intake of [...this.everyIsolate, ...this.#fronts.values()]) {
      if (!intake.dead) intake.holds?.close(clock.now(), holdReports.of(intake));
    }
  }

  /** When the next hold is over, epoch milliseconds. */
  get nextClosing(): number | undefined {
    const closing = [...this.everyIsolate, ...this.#fronts.values()]
      .filter(({ dead }) => !dead)
      .map(({ holds }) => holds?.closesAt)
      .filter((at) => at !== undefined);
    return closing.length === 0 ? undefined : Math.min(...closing);
  }

  /** All that is on its way is sent. */
  sendAllSlow(): void {
    while (this.#slow.length > 0) this.sendSlow();
  }

  #die(isolate: Isolate): void {
    const { random, clock, holdReports, faults } = this.#world;
    const isOpen = isolate.holds?.closesAt !== undefined && isolate.holds.closesAt > clock.now();
    if (isOpen) faults.happened("hold never closed");
    isolate.dead = true;
    holdReports.died(isolate);
    for (const slow of this.#slow.filter((one) => one.isolate === isolate)) {
      this.#slow.splice(this.#slow.indexOf(slow), 1);
      // It may have left all the same.
      if (random.chance(0.5)) slow.send();
      else isolate.gap = true;
    }
  }

  isolateSends(isolate: Isolate, most: number): void {
    const { clock, faults } = this.#world;
    const { source, producer, sequence, version } = isolate;
    const executor = this.#executors.get(`${source} ${version}`) as SourceExecutor;
    const arrival = clock.now();
    const records = drawRecords(this.#world.random, most, this.#ids, arrival);
    const held = this.#enter(isolate, arrival);
    const reading = executor.read({ values: records }, `${producer}.${sequence}`, arrival);
    const accepted = acceptedOf(records, reading);
    if (reading.accepted === 0) {
      held?.leave();
      return;
    }
    const identity = {
      producer,
      sequence,
      kind: ProducerKind.isolate,
      arrival,
      before: isolate.counted,
      single: false,
      ...timeOf(held),
    };
    const limits = { messages: 100, messageBytes: this.#messageBytes, sendBytes: 2_000_000 };
    const packed = unlessTooLarge(() => executor.pack(reading, identity, limits));
    if (packed === undefined) {
      held?.leave();
      return;
    }
    const { messages, segments } = packed;
    const sent: Sent = {
      source,
      producer,
      sequence,
      client: false,
      records,
      stored: new Map(),
      arrivals: new Map(),
      answered: false,
    };
    this.sent.push(sent);
    isolate.sequence += segments.length;
    isolate.counted += reading.accepted;
    held?.take(segments.length);
    const send = () => {
      let outcome: SendOutcome = "lost";
      for (let attempt = 0; attempt < 3 && !sent.answered; attempt++) {
        const became = this.#send(sent, { version, arrival, accepted, messages });
        if (became !== "lost") outcome = became;
      }
      if (sent.stored.size === 0) isolate.gap = true;
      if (!isolate.dead) held?.leave(outcome);
    };
    if (held !== undefined && faults.strikes("sent long after its arrival"))
      this.#slow.push({ isolate, send });
    else send();
  }

  /** Sends a client's request, perhaps not for the first time, and perhaps with another version. */
  retry(sent: Sent): void {
    const { random, clock, faults, version: current, plans } = this.#world;
    const version = faults.calm || random.chance(0.8) ? current : random.pick<Version>(["old", "new"]);
    const { source, producer, sequence, records } = sent;
    const executor = this.#executors.get(`${source} ${version}`) as SourceExecutor;
    const arrival = clock.now();
    const held = this.#enter(this.#front(source, version), arrival);
    const reading = executor.read({ values: records }, `${producer}.${sequence}`, arrival);
    const accepted = acceptedOf(records, reading);
    if (reading.accepted === 0 || !plans[version].sources.has(source)) {
      held?.leave();
      sent.answered = true;
      return;
    }
    const identity = {
      ...{ producer, sequence, kind: ProducerKind.client, arrival, before: 0, single: true },
      ...timeOf(held),
    };
    const limits = { messages: 1, messageBytes: 100_000, sendBytes: 2_000_000 };
    const packed = unlessTooLarge(() => executor.pack(reading, identity, limits));
    if (packed === undefined) {
      held?.leave();
      sent.answered = true;
      return;
    }
    const { messages, segments } = packed;
    held?.take(segments.length);
    held?.leave(this.#send(sent, { version, arrival, accepted, messages }));
    // The answer may be lost on its way to the client.
    if (sent.answered && faults.strikes("client sends again")) sent.answered = false;
  }

  /** What was accepted, each event once, with the version that routed it. */
  accepted(): Accepted[] {
    return this.sent.flatMap((sent) => {
      const version = this.routedBy(sent);
      const records = version === undefined ? [] : (sent.stored.get(version) ?? []);
      const arrivals = sent.arrivals.get(version as Version) ?? [];
      return records.map((datum) => ({ source: sent.source, datum, version: version as Version, arrivals }));
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
    const isolate = {
      ...this.#newIntake(source, version),
      ...{ version, producer: random.hex(32), sequence: 0, counted: 0, gap: false },
    };
    this.everyIsolate.push(isolate);
    return isolate;
  }

  #newIntake(source: string, version: Version): Intake {
    const { plans, random } = this.#world;
    const plan = plans[version].sources.get(source);
    const isInEventTime = plan !== undefined && isTimed(plan);
    const holds = isInEventTime ? new Holds({ source, newId: () => random.hex(16) }) : undefined;
    return { source, holds, dead: false };
  }

  #front(source: string, version: Version): Intake {
    const name = `${source} ${version}`;
    const front = this.#fronts.get(name) ?? this.#newIntake(source, version);
    this.#fronts.set(name, front);
    return front;
  }

  #enter(intake: Intake, arrival: number): Held | undefined {
    return intake.holds?.enter(arrival, this.#world.holdReports.of(intake));
  }

  #clientSends(): void {
    const { random, clock } = this.#world;
    const producer = random.pick([...this.#clients.keys()]);
    const sequence = this.#clients.get(producer) as number;
    this.#clients.set(producer, sequence + 1);
    const source = random.pick(this.#sources);
    const records = drawRecords(random, 4, this.#ids, clock.now());
    const sent: Sent = {
      source,
      producer,
      sequence,
      client: true,
      records,
      stored: new Map(),
      arrivals: new Map(),
      answered: false,
    };
    this.sent.push(sent);
    this.retry(sent);
  }

  /** All messages arrive or none does; whether the sender learns of it is another matter. @returns what he learns. */
  #send(sent: Sent, { version, arrival, accepted, messages }: Copy): SendOutcome {
    const { faults, queues } = this.#world;
    if (faults.strikes("send lost")) return "lost";
    const queue = queues.get(`millrace-${sent.source}`) as SimulatedQueue;
    for (const body of messages) queue.put(body);
    if (!sent.stored.has(version)) sent.stored.set(version, accepted);
    sent.arrivals.set(version, [...(sent.arrivals.get(version) ?? []), arrival]);
    if (faults.strikes("send arrived, said to have failed")) return "unsure";
    sent.answered = true;
    return "taken";
  }
}

/** What tells the code of one deployment from another; functions that close over a spec look the same. */
export function fingerprintOf(plan: Plan, version: Version): string {
  return `${plan.fingerprint}-${version}`;
}

/** Undefined of a request that ingest refuses, since it does not fit its messages. */
function unlessTooLarge(pack: () => Packed): Packed | undefined {
  try {
    return pack();
  } catch (error) {
    if (error instanceof TooLargeError) return undefined;
    throw error;
  }
}
