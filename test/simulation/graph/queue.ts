/** SimulatedQueue: a queue that keeps what it was sent and hands it out in any order, any number of times, late. */
import type { VirtualClock } from "../../../src/clock.ts";
import type { SealedSegment } from "../../../src/engine/envelope.ts";
import { encodeSealed, openEnvelope } from "../../../src/engine/envelope.ts";
import type { Delivery, EventQueue, QueueLimits } from "../../../src/engine/event-queue.ts";
import { QueueError } from "../../../src/errors.ts";
import type { Random } from "../random.ts";
import type { Faults } from "./faults.ts";
import type { Network, Process } from "./network.ts";

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly fingerprint: string;
  readonly source: string;
  readonly segments: readonly SealedSegment[];
  attempts: number;
  visibleAt: number;
  /** Deliveries under way. */
  out: number;
}

/** A delivery, and what ends it: the consumer has returned, or has died. */
export interface HandedOut {
  readonly delivery: Delivery;
  readonly end: () => void;
}

const LIMITS: QueueLimits = { messages: 100, messageBytes: 128_000, sendBytes: 256_000 };

export class SimulatedQueue {
  readonly messages: Message[] = [];
  readonly name: string;
  readonly #world: {
    readonly random: Random;
    readonly clock: VirtualClock;
    readonly faults: Faults;
    readonly network: Network;
  };
  #ids = 0;

  constructor(
    name: string,
    world: { random: Random; clock: VirtualClock; faults: Faults; network: Network },
  ) {
    this.name = name;
    this.#world = world;
  }

  put(body: string): void {
    const { fingerprint, source, segments } = openEnvelope(body);
    const id = `${this.name}-${++this.#ids}`;
    const visibleAt = this.#world.clock.now();
    this.messages.push({ id, body, fingerprint, source, segments, attempts: 1, visibleAt, out: 0 });
  }

  /** The queue as one process reaches it. */
  port(owner: Process): EventQueue {
    const { network } = this.#world;
    const failure = (message: string, outcome: "none" | "unknown") => new QueueError(message, outcome);
    const losses = { lost: "send lost", done: "send arrived, said to have failed" } as const;
    return {
      limits: LIMITS,
      send: (messages) =>
        network.call(owner, () => messages.forEach((body) => this.put(body)), losses, failure),
      backlog: async () => ({ messages: this.messages.length, bytes: 0 }),
    };
  }

  /** Any mix of segments may travel: two messages do once more, in one. */
  remix(): void {
    const [a, b] = this.#world.random.shuffle(this.messages) as [Message?, Message?];
    if (a === undefined || b === undefined || a.fingerprint !== b.fingerprint || a.source !== b.source)
      return;
    if (!this.#world.faults.strikes("delivery: segments remixed")) return;
    const envelope = openEnvelope(a.body);
    this.put(encodeSealed({ ...envelope, segments: [...a.segments, ...b.segments] }));
  }

  /** At most `most` messages for a consumer, none or all of those that may be delivered in calm. */
  take(most: number, consumer: Process): HandedOut[] {
    const { random, clock, faults } = this.#world;
    const now = clock.now();
    const free = this.messages.filter(
      ({ out, visibleAt }) =>
        visibleAt <= now && (out === 0 || faults.strikes("delivery: of a message that is out")),
    );
    const batch = random.shuffle(free).slice(0, most);
    const [first] = batch;
    if (first !== undefined && faults.strikes("delivery: duplicated")) batch.push(first);
    return batch.map((message) => this.#handOut(message, consumer));
  }

  #handOut(message: Message, consumer: Process): HandedOut {
    const { clock, faults } = this.#world;
    message.out++;
    let outcome: "ack" | "retry" | undefined;
    let delay = 0;
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      message.out--;
      if (outcome === "ack" && !consumer.dead && !faults.strikes("acknowledgement lost")) {
        const at = this.messages.indexOf(message);
        if (at >= 0) this.messages.splice(at, 1);
        return;
      }
      message.attempts++;
      message.visibleAt = clock.now() + delay * 1_000;
    };
    const delivery: Delivery = {
      id: message.id,
      body: message.body,
      attempts: message.attempts,
      ack: () => {
        outcome ??= "ack";
      },
      retry: ({ delaySeconds = 0 } = {}) => {
        outcome ??= "retry";
        delay = delaySeconds;
      },
    };
    return { delivery, end };
  }
}
