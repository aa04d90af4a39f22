/**
 * Group commit: requests that come while a send is under way share the next one.
 *
 * A queue bills by the message, and a send takes its time however little it carries; single-event requests are cheap only
 * when several travel together: the small ones in one message, and the messages of all in one send. Each keeps its own
 * segment, so a copy that is delivered twice is told apart as ever. A request that finds no send under way waits for nobody.
 *
 * On Workers a request may not wait for another one's work alone: it would be cancelled as hung when nothing of its own
 * is left to happen. So whoever opens a group (the leader) hands the send to `waitUntil`, those who join race it against
 * a timer of their own, and one who has waited too long sends a copy under the same identity.
 */
import type { EnvelopeHeader } from "../../engine/envelope.ts";
import { joinEnvelope } from "../../engine/envelope.ts";
import type { EventQueue } from "../../engine/event-queue.ts";
import type { Packed } from "../../engine/source/packer.ts";

/** What a queue bills as one unit, less some room: small members share messages up to it. */
const MESSAGE_BYTES = 63_000;
/** What is larger has a message of its own: sharing one saves it little. */
const MAX_MEMBER_BYTES = 24_000;
/** After the send before it has ended: those who are just being answered often have more to say. As `linger.ms` of Kafka's producers. */
const SETTLE_MS = 2;
/** How often one who joined looks for himself, and when he gives up on the others. */
const LOOK_MS = 25;
const PATIENCE_MS = 2_000;
/** A send that was never seen to end (its request was cancelled) stops counting as under way. */
const FORGET_MS = 5_000;

interface Group {
  /** Messages that are shared, as encoded segments. */
  readonly shared: { readonly segments: string[]; bytes: number }[];
  /** Messages of members that do not share. */
  readonly own: string[];
  bytes: number;
  /** Whoever waits for more members is to wait no longer. */
  readonly go: () => void;
  readonly full: Promise<void>;
  readonly sent: Promise<void>;
  outcome?: { readonly error?: unknown };
}

export class GroupCommit {
  readonly #lingerMs: number;
  readonly #underWay = new Map<object, number>();
  #open: Group | undefined;
  /** Leaders who wait for the sends under way to end. */
  #waiting: (() => void)[] = [];

  /** @param lingerMs how long a group waits for the send before it to end; 0 switches grouping off. */
  constructor(lingerMs: number) {
    this.#lingerMs = lingerMs;
  }

  /**
   * Resolves when all of `packed` is durable; rejects like `queue.send`.
   *
   * @param waitUntil keeps the Worker alive for the others of a group when this request is done or gone.
   */
  async send(
    packed: Packed,
    header: EnvelopeHeader,
    queue: EventQueue,
    waitUntil: (work: Promise<unknown>) => void,
  ): Promise<void> {
    const open = this.#open;
    if (this.#lingerMs === 0 || (open === undefined && !this.#busy())) {
      await this.#sending(() => queue.send(packed.messages));
    } else if (open !== undefined && hasRoom(open, packed, queue)) {
      await this.#follow(open, packed, queue);
    } else {
      open?.go();
      await this.#lead(packed, header, queue, waitUntil);
    }
  }

  async #lead(
    packed: Packed,
    header: EnvelopeHeader,
    queue: EventQueue,
    waitUntil: (work: Promise<unknown>) => void,
  ): Promise<void> {
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    const { promise: full, resolve: go } = Promise.withResolvers<void>();
    const group: Group = { shared: [], own: [], bytes: 0, go, full, sent };
    join(group, packed);
    this.#open = group;
    const work = (async () => {
      await Promise.race([this.#idle().then(() => sleep(SETTLE_MS)), full, sleep(this.#lingerMs)]);
      if (this.#open === group) this.#open = undefined;
      try {
        await this.#sending(() => queue.send(messagesOf(group, header)));
        group.outcome = {};
      } catch (error) {
        group.outcome = { error };
      }
      resolve();
    })();
    waitUntil(work);
    await work;
    settle(group);
  }

  async #follow(group: Group, packed: Packed, queue: EventQueue): Promise<void> {
    join(group, packed);
    for (const until = Date.now() + PATIENCE_MS; group.outcome === undefined && Date.now() < until; ) {
      await Promise.race([group.sent, sleep(LOOK_MS)]);
    }
    if (group.outcome !== undefined) {
      settle(group);
      return;
    }
    // Its leader is slow, or gone for good: nobody else should join and wait as long.
    if (this.#open === group) this.#open = undefined;
    await queue.send(packed.messages);
  }

  async #sending(send: () => Promise<void>): Promise<void> {
    const token = {};
    this.#underWay.set(token, Date.now());
    try {
      await send();
    } finally {
      this.#underWay.delete(token);
      if (!this.#busy()) for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  #idle(): Promise<void> {
    return this.#busy() ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  #busy(): boolean {
    for (const [token, since] of this.#underWay) {
      if (Date.now() - since < FORGET_MS) return true;
      this.#underWay.delete(token);
    }
    return false;
  }
}

function hasRoom({ own, shared, bytes }: Group, packed: Packed, { limits }: EventQueue): boolean {
  const messages = own.length + shared.length + packed.messages.length;
  return bytes + packed.bytes <= limits.sendBytes && messages <= limits.messages;
}

function join(group: Group, { messages, encoded, bytes }: Packed): void {
  group.bytes += bytes;
  if (messages.length !== 1 || bytes > MAX_MEMBER_BYTES) {
    group.own.push(...messages);
    return;
  }
  const last = group.shared.at(-1);
  if (last === undefined || last.bytes + bytes > MESSAGE_BYTES)
    group.shared.push({ segments: [...encoded], bytes });
  else {
    last.segments.push(...encoded);
    last.bytes += bytes;
  }
}

function messagesOf({ shared, own }: Group, header: EnvelopeHeader): string[] {
  return [...shared.map(({ segments }) => joinEnvelope(header, segments)), ...own];
}

/** @throws what the send of the group threw: nobody of it knows more. */
function settle({ outcome }: Group): void {
  if (outcome !== undefined && "error" in outcome) throw outcome.error;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
