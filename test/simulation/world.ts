/**
 * World: the real engine among everything that can go wrong, driven by one seed.
 *
 * Isolates and clients send orders over a queue that loses acknowledgements, reorders, repeats and remixes; operator
 * isolates die; shards are unreachable, crash at any write, and wake up from their store; a deploy routes differently.
 * Then the faults stop, everything settles, and the views are compared with a plain recount.
 */
import { VirtualClock } from "../../src/clock.ts";
import { decodeEnvelope, encodeEnvelope } from "../../src/engine/envelope.ts";
import type { Delivery, QueueLimits } from "../../src/engine/event-queue.ts";
import type { BuriedMessage } from "../../src/engine/operator-executor.ts";
import { OperatorExecutor } from "../../src/engine/operator-executor.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { ProducerKind, RECORD_WIDTH } from "../../src/engine/segment.ts";
import type { ShardCall, ShardReply } from "../../src/engine/shard/protocol.ts";
import { readRange, readStats, readTop, readTotals } from "../../src/engine/shard/reader.ts";
import { Redrive } from "../../src/engine/shard/redrive.ts";
import type { ShardLimits } from "../../src/engine/shard/shard.ts";
import { Shard } from "../../src/engine/shard/shard.ts";
import { SourceExecutor } from "../../src/engine/source-executor.ts";
import { TooLargeError } from "../../src/errors.ts";
import type { OperatorPlan, Plan, SourcePlan } from "../../src/plan.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { PageCache } from "../../src/state/page-cache.ts";
import { Crash, CrashingStore } from "./crashing-store.ts";
import type { OperatorName } from "./jobs.ts";
import { OPERATORS, planOf, VERSIONS } from "./jobs.ts";
import { Random } from "./random.ts";
import type { Order, Version } from "./recount.ts";
import { emptyRecount, recount } from "./recount.ts";

const SOURCE = "orders";
const PLANS: Readonly<Record<Version, Plan>> = { old: planOf("old"), new: planOf("new") };
const EXECUTORS: Readonly<Record<Version, SourceExecutor>> = {
  old: new SourceExecutor(PLANS.old, PLANS.old.sources.get(SOURCE) as SourcePlan),
  new: new SourceExecutor(PLANS.new, PLANS.new.sources.get(SOURCE) as SourcePlan),
};

export interface WorldOptions {
  /** Breaks the machinery around the engine on purpose, to show that the simulation notices. */
  readonly sabotage?: "acknowledge before commit" | "claims always true" | undefined;
  readonly steps?: number;
  /** Shards with so little room for their bitmaps that they must forget; then nothing may vanish, but some may be buried. */
  readonly forgetful?: boolean;
  /** So many and long keys that the state takes several pages, and a checkpoint several steps; else some seeds are. */
  readonly wide?: boolean;
}

/** What one seed came to; all numbers for the test's own checks that something happened at all. */
export interface Outcome {
  accepted: number;
  crashes: number;
  duplicates: number;
  redriven: number;
  retried: number;
  buried: number;
  checkpoints: number;
}

export class Violation extends Error {}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly request: Request;
  attempts: number;
  /** Deliveries under way. */
  out: number;
  settled: boolean;
}

/** The orders of one identity: sent once by an isolate, or any number of times by a client. */
interface Request {
  readonly producer: string;
  readonly sequence: number;
  readonly orders: readonly Order[];
  readonly client: boolean;
  versions: Set<Version>;
  /** Accepted: it arrived in the queue. */
  stored: boolean;
  handedOut: boolean;
  answered: boolean;
  messages: Message[];
}

interface Isolate {
  readonly producer: string;
  readonly version: Version;
  sequence: number;
  counted: number;
  /** It gave up on a request that did not arrive: its numbers have a gap for good. */
  gave: boolean;
}

interface Host {
  readonly operator: OperatorName;
  readonly number: number;
  readonly store: MemoryStore;
  readonly crashing: CrashingStore;
  shard: Shard | undefined;
}

interface OperatorIsolate {
  readonly executor: OperatorExecutor;
  dead: boolean;
}

export class World {
  readonly outcome: Outcome = {
    accepted: 0,
    crashes: 0,
    duplicates: 0,
    redriven: 0,
    retried: 0,
    buried: 0,
    checkpoints: 0,
  };

  readonly #random: Random;
  readonly #options: WorldOptions;
  readonly #clock = new VirtualClock(1_750_000_000_000);
  readonly #cache = new PageCache(1);
  readonly #limits: Partial<ShardLimits>;
  readonly #queueLimits: QueueLimits;
  /** Many keys, and long ones: the state takes several pages, and a checkpoint several steps. */
  readonly #wide: boolean;
  readonly #hosts = new Map<string, Host>();
  readonly #queue: Message[] = [];
  readonly #requests: Request[] = [];
  readonly #redrives: { readonly request: Request; readonly n: number }[] = [];
  readonly #claims = new Map<string, string>();
  readonly #buried = new Map<string, BuriedMessage>();
  /** Calls that are on their way to a shard or to the claims: the scheduler lets them arrive in any order. */
  readonly #calls: (() => void)[] = [];
  readonly #consuming = new Set<Promise<void>>();
  #isolates: Isolate[] = [];
  #clients: { readonly producer: string; sequence: number }[] = [];
  #operators: OperatorIsolate[] = [];
  #version: Version = "old";
  #messages = 0;
  #calm = false;
  #broken: unknown;

  constructor(seed: number, options: WorldOptions = {}) {
    const random = new Random(seed);
    this.#random = random;
    this.#options = options;
    this.#limits = {
      checkpointCommits: random.int(1, 5),
      checkpointStepPages: 1,
      logRows: random.int(2, 8),
      ...(options.forgetful ? { appliedBytes: 256 * random.int(3, 6) + 192 * random.int(0, 2) } : {}),
    };
    this.#wide = random.chance(0.1) || options.wide === true;
    this.#queueLimits = {
      messages: 100,
      messageBytes: this.#wide ? 12_000 : random.pick([900, 1500, 4000]),
      sendBytes: 200_000,
    };
    for (const name of OPERATORS) {
      const { shards } = PLANS.old.operators.get(name) as OperatorPlan;
      for (let number = 0; number < shards; number++) {
        const store = new MemoryStore();
        const host = { operator: name, number, store, crashing: new CrashingStore(store), shard: undefined };
        this.#hosts.set(`${name}/${number}`, host);
      }
    }
    this.#isolates = [this.#newIsolate(), this.#newIsolate()];
    this.#clients = [1, 2].map(() => ({ producer: random.hex(32), sequence: 0 }));
    this.#operators = [this.#newOperator(), this.#newOperator()];
  }

  async run(): Promise<Outcome> {
    const { steps = 130 } = this.#options;
    for (let step = 0; step < steps; step++) {
      this.#act();
      await this.#tick();
      if (step % 10 === 9) this.#checkConservation();
    }
    await this.#settle();
    this.#checkViews();
    return this.outcome;
  }

  #act(): void {
    const random = this.#random;
    const action = random.int(0, 99);
    if (action < 14) this.#isolateSends();
    else if (action < 26) this.#clientSends();
    else if (action < 48) this.#deliver();
    else if (action < 88) this.#arrive();
    else if (action < 91) this.#evict();
    else if (action < 93) this.#replaceOperator();
    else if (action < 95) this.#remix();
    else if (action < 97) this.#clock.advance(random.int(0, 3_600_000));
    else if (action < 98) this.#version = random.pick(VERSIONS);
    else if (action < 99) this.#redrive(random.pick(this.#hostsWithLetters()));
    else this.#isolates[random.int(0, 1)] = this.#newIsolate();
  }

  /** Lets everything that can go on without the scheduler go on. */
  async #tick(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#broken !== undefined) throw new Violation("consume threw", { cause: this.#broken });
  }

  // --- sending ---

  #newIsolate(): Isolate {
    const version = this.#random.chance(0.8) ? this.#version : this.#random.pick(VERSIONS);
    return { producer: this.#random.hex(32), version, sequence: 0, counted: 0, gave: false };
  }

  #orders(most: number): Order[] {
    const random = this.#random;
    return Array.from({ length: random.int(1, most) }, (): Order => {
      const page = this.#wide
        ? `/page/${random.int(0, 150)}/${"x".repeat(1900)}`
        : random.chance(0.5)
          ? "/hot"
          : `/page/${random.int(0, 30)}`;
      const amounts = Array.from({ length: random.int(0, 3) }, () => random.int(0, 50));
      const fault = random.pick([
        "invalid",
        "dropped",
        "throws",
        "half",
        undefined,
        undefined,
        undefined,
        undefined,
      ] as const);
      return { page, amounts, ...(fault === undefined ? {} : { fault }) };
    });
  }

  #isolateSends(): void {
    const random = this.#random;
    const isolate = random.pick(this.#isolates);
    const executor = EXECUTORS[isolate.version];
    const orders = this.#orders(random.pick([1, 3, this.#wide ? 40 : 12]));
    const arrival = this.#clock.now();
    const reading = executor.read({ values: orders }, `${isolate.producer}.${isolate.sequence}`, arrival);
    if (reading.accepted === 0) return;
    const identity = {
      producer: isolate.producer,
      sequence: isolate.sequence,
      kind: ProducerKind.isolate,
      arrival,
      before: isolate.counted,
      single: false,
    };
    const { messages, segments } = executor.pack(reading, identity, this.#queueLimits);
    const request = this.#newRequest(identity, orders, false);
    request.versions.add(isolate.version);
    isolate.sequence += segments.length;
    isolate.counted += reading.accepted;
    for (let attempt = 0; attempt < 3 && !request.answered; attempt++) this.#send(request, messages);
    if (!request.stored) isolate.gave = true;
  }

  #clientSends(): void {
    const random = this.#random;
    const waiting = this.#requests.filter((request) => request.client && !request.answered);
    if (waiting.length > 0 && random.chance(0.6)) {
      this.#clientTries(random.pick(waiting));
      return;
    }
    const client = random.pick(this.#clients);
    const request = this.#newRequest(
      { producer: client.producer, sequence: client.sequence++ },
      this.#orders(4),
      true,
    );
    this.#clientTries(request);
  }

  #clientTries(request: Request): void {
    const version = this.#random.chance(0.8) ? this.#version : this.#random.pick(VERSIONS);
    const executor = EXECUTORS[version];
    const { producer, sequence, orders } = request;
    const arrival = this.#clock.now();
    const reading = executor.read({ values: orders }, `${producer}.${sequence}`, arrival);
    if (reading.accepted === 0) {
      request.answered = true;
      return;
    }
    try {
      const identity = { producer, sequence, kind: ProducerKind.client, arrival, before: 0, single: true };
      const { messages } = executor.pack(reading, identity, { ...this.#queueLimits, messageBytes: 50_000 });
      if (this.#send(request, messages)) request.versions.add(version);
      // The answer may be lost on its way: then the client tries again.
      if (request.answered && !this.#calm && this.#random.chance(0.4)) request.answered = false;
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      request.answered = true;
    }
  }

  #newRequest(
    id: { producer: string; sequence: number },
    orders: readonly Order[],
    client: boolean,
  ): Request {
    const request: Request = {
      producer: id.producer,
      sequence: id.sequence,
      orders,
      client,
      versions: new Set(),
      stored: false,
      handedOut: false,
      answered: false,
      messages: [],
    };
    this.#requests.push(request);
    return request;
  }

  /** All messages arrive or none does; whether the sender learns of it is another matter. @returns whether they arrived */
  #send(request: Request, messages: readonly string[]): boolean {
    const fate = this.#calm ? 1 : this.#random.next();
    if (fate < 0.15) return false;
    for (const body of messages) this.#store(body, request);
    if (!request.stored) {
      request.stored = true;
      this.outcome.accepted += validOf(request);
    }
    if (fate >= 0.3) request.answered = true;
    return true;
  }

  #store(body: string, request: Request): void {
    const message: Message = {
      id: `m${++this.#messages}`,
      body,
      request,
      attempts: 1,
      out: 0,
      settled: false,
    };
    request.messages.push(message);
    this.#queue.push(message);
  }

  /** Transport may carry any mix of segments: two messages travel once more, in one. */
  #remix(): void {
    if (this.#queue.length < 2) return;
    const [a, b] = this.#random.shuffle(this.#queue) as [Message, Message];
    const [one, other] = [decodeEnvelope(a.body), decodeEnvelope(b.body)];
    if (one.fingerprint !== other.fingerprint) return;
    this.#store(encodeEnvelope({ ...one, segments: [...one.segments, ...other.segments] }), a.request);
  }

  // --- consuming ---

  #newOperator(): OperatorIsolate {
    const random = this.#random;
    const isolate: OperatorIsolate = {
      dead: false,
      executor: new OperatorExecutor({
        plan: PLANS[random.pick(VERSIONS)],
        clock: this.#clock,
        random: () => 0.5,
        shards: { apply: (call) => this.#overTheWire(() => this.#shardCall(structuredClone(call))) },
        claims: {
          claim: (producer, fingerprint, sequences) =>
            this.#overTheWire(() =>
              sequences.map((sequence) => this.#claim(`${producer}.${sequence}`, fingerprint)),
            ),
        },
        graveyard: {
          bury: async (message) => {
            if (!this.#calm && random.chance(0.2)) throw new Error("the graveyard is unreachable");
            this.#buried.set(message.id, message);
          },
        },
      }),
    };
    return isolate;
  }

  /** The first plan to claim a segment holds it, durably. */
  #claim(id: string, fingerprint: string): boolean {
    if (!this.#claims.has(id)) this.#claims.set(id, fingerprint);
    return this.#options.sabotage === "claims always true" || this.#claims.get(id) === fingerprint;
  }

  /** A call takes its time, may not arrive, and its answer may be lost. */
  #overTheWire<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#calls.push(() => {
        const fate = this.#calm ? 1 : this.#random.next();
        if (fate < 0.06) return reject(new Error("unreachable"));
        try {
          const result = work();
          if (fate < 0.14) reject(new Error("the answer was lost"));
          else resolve(result);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #arrive(): void {
    const [call] = this.#calls.splice(this.#random.int(0, this.#calls.length - 1), 1);
    call?.();
  }

  #shardCall(call: ShardCall): ShardReply {
    const random = this.#random;
    const host = this.#hosts.get(`${call.operator}/${call.shard}`);
    if (host === undefined)
      throw new Violation(`a call for shard ${call.operator}/${call.shard}, which there is not`);
    if (!this.#calm) {
      if (random.chance(0.1)) host.shard = undefined;
      if (random.chance(0.1)) host.crashing.writesLeft = random.int(0, 4);
      else if (random.chance(0.08)) host.crashing.transactionsLeft = random.int(1, 3);
    }
    try {
      host.shard ??= this.#wake(host, host.crashing, this.#cache);
      const before = host.shard.checkpointLsn;
      const reply = host.shard.apply(call);
      if (host.shard.checkpointLsn > before) this.outcome.checkpoints++;
      this.outcome.duplicates += reply.duplicates;
      return reply;
    } catch (error) {
      host.shard = undefined;
      this.outcome.crashes++;
      throw error;
    } finally {
      host.crashing.calm();
    }
  }

  #wake(host: Host, store: MemoryStore | CrashingStore, cache: PageCache): Shard {
    const operator = PLANS[this.#version].operators.get(host.operator) as OperatorPlan;
    return new Shard({
      generation: 1,
      operator,
      shard: host.number,
      store,
      cache,
      clock: this.#clock,
      limits: this.#limits,
    });
  }

  #deliver(): void {
    const random = this.#random;
    const isolate = random.pick(this.#operators);
    const free = this.#queue.filter((message) => message.out === 0 || random.chance(0.2));
    const batch = random.shuffle(free).slice(0, random.int(0, 6));
    if (batch.length > 0 && random.chance(0.1)) batch.push(batch[0] as Message);
    const deliveries = batch.map((message) => this.#deliveryOf(message, isolate));
    if (this.#options.sabotage === "acknowledge before commit")
      for (const { delivery } of deliveries) delivery.ack();
    const consuming = isolate.executor
      .consume(
        "millrace-orders",
        deliveries.map(({ delivery }) => delivery),
      )
      .catch((error: unknown) => {
        this.#broken = error;
      })
      .finally(() => {
        for (const { end } of deliveries) end();
        this.#consuming.delete(consuming);
      });
    this.#consuming.add(consuming);
  }

  #deliveryOf(message: Message, isolate: OperatorIsolate): { delivery: Delivery; end: () => void } {
    message.out++;
    message.request.handedOut = true;
    for (const { producer, sequence } of decodeEnvelope(message.body).segments) {
      for (const request of this.#requests)
        if (request.producer === producer && request.sequence <= sequence) request.handedOut = true;
    }
    let outcome: "ack" | "retry" | undefined;
    const end = () => {
      message.out--;
      if (outcome === "ack" && !isolate.dead && (this.#calm || this.#random.chance(0.9)))
        this.#remove(message);
      else {
        message.attempts++;
        this.outcome.retried++;
      }
    };
    const delivery: Delivery = {
      id: message.id,
      body: message.body,
      attempts: message.attempts,
      ack: () => {
        outcome ??= "ack";
      },
      retry: () => {
        outcome ??= "retry";
      },
    };
    return { delivery, end };
  }

  #remove(message: Message): void {
    message.settled = true;
    const at = this.#queue.indexOf(message);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  #evict(): void {
    this.#random.pick([...this.#hosts.values()]).shard = undefined;
  }

  /** An operator isolate dies: its calls may still arrive, but it acknowledges nothing any more. */
  #replaceOperator(): void {
    const at = this.#random.int(0, this.#operators.length - 1);
    (this.#operators[at] as OperatorIsolate).dead = true;
    this.#operators[at] = this.#newOperator();
  }

  /** Dead letters are sent again under identities of their own; the sender may die before it forgets them. */
  #redrive(host: Host | undefined): void {
    if (host === undefined) return;
    const random = this.#random;
    const letters = host.store.listDeadLetters(0, 1e9);
    const wanted = this.#calm ? letters.filter(({ data }) => JSON.parse(data).released === true) : letters;
    if (wanted.length === 0) return;
    try {
      if (!this.#calm && random.chance(0.2)) host.crashing.writesLeft = random.int(0, 3);
      host.shard ??= this.#wake(host, host.crashing, this.#cache);
      const { operator } = host.shard.options;
      const version = VERSIONS.find((one) => PLANS[one].operators.get(host.operator) === operator) as Version;
      const numbers = random
        .shuffle(wanted.map(({ number }) => number))
        .slice(0, this.#calm ? wanted.length : 5);
      const redrive = new Redrive(PLANS[version], host.shard, numbers);
      const fate = this.#calm ? 1 : random.next();
      if (fate < 0.15) return;
      const n = letters
        .filter(({ number }) => numbers.includes(number))
        .reduce((sum, { data }) => sum + JSON.parse(data).n, 0);
      const request = this.#redriveRequest(n);
      for (const body of redrive.sends.flatMap(({ messages }) => messages)) this.#store(body, request);
      this.outcome.redriven += numbers.length;
      if (fate >= 0.3) redrive.finish();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      host.shard = undefined;
    } finally {
      host.crashing.calm();
    }
  }

  #hostsWithLetters(): Host[] {
    return [...this.#hosts.values()].filter(({ store }) => store.listDeadLetters(0, 1).length > 0);
  }

  #redriveRequest(n: number): Request {
    const request: Request = {
      producer: "",
      sequence: 0,
      orders: [],
      client: false,
      versions: new Set(),
      stored: true,
      handedOut: true,
      answered: true,
      messages: [],
    };
    this.#redrives.push({ request, n });
    return request;
  }

  /** Events of dead letters that are on their way again. */
  #redrivenInFlight(operator: OperatorName): number {
    let events = 0;
    for (const { request, n } of this.#redrives)
      if (request.messages.some((message) => !message.settled)) events += n;
    for (const host of this.#hosts.values()) {
      if (host.operator !== operator) continue;
      for (const { data } of host.store.listDeadLetters(0, 1e9)) {
        const letter = JSON.parse(data) as { n: number; released?: boolean };
        if (letter.released === true) events += letter.n;
      }
    }
    return events;
  }

  // --- the end, and what must hold ---

  async #settle(): Promise<void> {
    this.#calm = true;
    for (let round = 0; ; round++) {
      const unanswered = this.#requests.filter((request) => request.client && !request.answered);
      if (this.#queue.length === 0) for (const host of this.#hosts.values()) this.#redrive(host);
      if (
        this.#queue.length === 0 &&
        this.#calls.length === 0 &&
        this.#consuming.size === 0 &&
        unanswered.length === 0
      )
        return;
      if (round > 400) throw new Violation(`does not settle: ${this.#queue.length} messages are left`);
      for (const request of unanswered) this.#clientTries(request);
      if (this.#calls.length === 0 && this.#consuming.size === 0) this.#deliver();
      while (this.#calls.length > 0) this.#arrive();
      await this.#tick();
    }
  }

  /** What is stored, read by a shard that wakes up beside the running one. */
  #shardsOf(operator: OperatorName): Shard[] {
    return [...this.#hosts.values()]
      .filter((host) => host.operator === operator)
      .map((host) => this.#wake(host, host.store, new PageCache()));
  }

  /** accepted = applied + dead + in flight: what was acknowledged is not in flight, what was never handed out is. */
  #checkConservation(): void {
    const stored = this.#requests.filter((request) => request.stored);
    const sum = (some: readonly Request[]) => some.reduce((total, request) => total + validOf(request), 0);
    const accepted = sum(stored);
    const unsettled = sum(stored.filter((request) => request.messages.some((message) => !message.settled)));
    const least = sum(stored.filter((request) => !request.handedOut));
    for (const operator of OPERATORS) {
      const most = unsettled + this.#redrivenInFlight(operator);
      let settled = 0;
      for (const shard of this.#shardsOf(operator)) {
        const { applied = 0, dead = 0 } = shard.counters.flows[SOURCE] ?? {};
        settled += applied + dead;
      }
      const inFlight = accepted - settled;
      const buried = this.#buried.size > 0 ? most + accepted : most;
      if (inFlight < least || inFlight > buried) {
        throw new Violation(
          `${operator}: accepted ${accepted}, applied or dead ${settled}; in flight must be ${least} to ${most}`,
        );
      }
    }
  }

  #checkViews(): void {
    this.outcome.buried = this.#buried.size;
    if (!this.#options.forgetful && this.#buried.size > 0) {
      throw new Violation(`buried: ${[...this.#buried.values()][0]?.reason}`);
    }
    const expected = emptyRecount();
    for (const request of this.#requests) {
      if (!request.stored) continue;
      for (const order of request.orders) recount(expected, order, this.#routedBy(request));
    }
    for (const operator of OPERATORS)
      this.#checkView(operator, expected[operator], expected.accepted, expected.dead[operator]);
  }

  /** The version whose copy counts: the only one that was sent, or else the one that claimed it. */
  #routedBy(request: Request): Version {
    const [only] = request.versions;
    if (request.versions.size === 1) return only as Version;
    const held = this.#claims.get(`${request.producer}.${request.sequence}`);
    return VERSIONS.find((version) => PLANS[version].fingerprint === held) as Version;
  }

  #checkView(
    operator: OperatorName,
    expected: ReadonlyMap<string, number>,
    accepted: number,
    deadExpected: number,
  ): void {
    const shards = this.#shardsOf(operator);
    const actual = new Map(
      shards.flatMap((shard) =>
        readRange(shard, { limit: 1e9 }).map(({ key, value }) => [key, value as number] as const),
      ),
    );
    const flows = shards.map((shard) => shard.counters.flows[SOURCE]);
    const applied = flows.reduce((total, flow) => total + (flow?.applied ?? 0), 0);
    const dead = flows.reduce((total, flow) => total + (flow?.dead ?? 0), 0);
    const letters = shards
      .flatMap((shard) => shard.options.store.listDeadLetters(0, 1e9))
      .map(({ data }) => JSON.parse(data) as { n: number });
    same(
      `${operator}: dead letters`,
      letters.reduce((total, { n }) => total + n, 0),
      dead,
    );
    const totals = shards.map(readTotals);
    same(
      `${operator}: keys`,
      totals.reduce((sum, { keys }) => sum + keys, 0),
      actual.size,
    );
    same(
      `${operator}: total`,
      totals.reduce((sum, { total }) => sum + total, 0),
      [...actual.values()].reduce((sum, value) => sum + value, 0),
    );
    if (this.#buried.size > 0) {
      this.#checkCovered(operator, expected, actual);
      return;
    }
    same(`${operator}: view`, sorted(actual), sorted(expected));
    same(`${operator}: dead`, dead, deadExpected);
    same(`${operator}: in flight at the end`, accepted - applied - dead, 0);
    const top = shards
      .flatMap((shard) => readTop(shard, 5))
      .sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1))
      .slice(0, 5);
    same(
      `${operator}: top`,
      top.map(({ key, value }) => [key, value]),
      sorted(expected)
        .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
        .slice(0, 5),
    );
    this.#checkCounted(operator, shards);
  }

  /** What the metrics call accepted: per producer, from what rides in the commits. */
  #checkCounted(operator: OperatorName, shards: readonly Shard[]): void {
    if (this.#options.forgetful) return;
    const counts = new Map<string, number>();
    for (const { producer, kind, counted } of shards.flatMap((shard) => readStats(shard).producers)) {
      const known = counts.get(producer) ?? 0;
      counts.set(producer, kind === ProducerKind.isolate ? Math.max(known, counted) : known + counted);
    }
    const gaps = new Set(this.#isolates.filter((isolate) => isolate.gave).map((isolate) => isolate.producer));
    const expected = new Map<string, number>();
    const lost = new Set<string>();
    for (const request of this.#requests) {
      if (!request.stored) lost.add(request.producer);
      else expected.set(request.producer, (expected.get(request.producer) ?? 0) + validOf(request));
    }
    for (const [producer, events] of expected) {
      if (lost.has(producer) && !this.#clients.some((client) => client.producer === producer)) continue;
      if (gaps.has(producer)) continue;
      same(`${operator}: counted of ${producer}`, counts.get(producer) ?? 0, events);
    }
  }

  /** Never more than the recount; and what is less is in a buried message. */
  #checkCovered(
    operator: OperatorName,
    expected: ReadonlyMap<string, number>,
    actual: ReadonlyMap<string, number>,
  ): void {
    const buried = new Map<string, number>();
    const distinct = new Map<string, Segment>();
    for (const { body } of this.#buried.values()) {
      const { fingerprint, segments } = decodeEnvelope(body);
      for (const segment of segments)
        distinct.set(`${fingerprint}/${segment.producer}.${segment.sequence}`, segment);
    }
    for (const part of [...distinct.values()].flatMap((segment) => segment.parts)) {
      if (part.operator !== operator) continue;
      for (const { records } of part.byShard) {
        for (let at = 0; at < records.length; at += RECORD_WIDTH) {
          const key = records[at] as string;
          buried.set(key, (buried.get(key) ?? 0) + (records[at + 1] as number));
        }
      }
    }
    for (const [key, value] of actual) {
      if (value > (expected.get(key) ?? 0))
        throw new Violation(`${operator}: ${key} counts ${value}, more than ${expected.get(key)}`);
    }
    for (const [key, value] of expected) {
      const missing = value - (actual.get(key) ?? 0);
      if (missing > (buried.get(key) ?? 0))
        throw new Violation(`${operator}: ${missing} of ${key} vanished, ${buried.get(key) ?? 0} are buried`);
    }
  }
}

function validOf(request: Request): number {
  return request.orders.filter((order) => order.fault !== "invalid").length;
}

function sorted(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function same(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Violation(`${what}: ${a}, the recount says ${b}`);
}

/** Runs one seed. @throws Violation, or what else went wrong, naming the seed. */
export async function simulate(seed: number, options: WorldOptions = {}): Promise<Outcome> {
  try {
    return await new World(seed, options).run();
  } catch (error) {
    throw new Violation(
      `seed ${seed} (replay it with SEED=${seed}): ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
