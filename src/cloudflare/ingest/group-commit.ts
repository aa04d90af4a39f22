/**
 * Group commit: requests that come while a send is under way share the next one.
 *
 * A queue bills by the message, and a send takes its time however little it carries; single-event requests are cheap only
 * when several travel together. Each keeps its own segment, so a copy that is delivered twice is told apart as ever. A
 * request that finds no send under way waits for nobody.
 *
 * On Workers a request may not wait for another one's work alone: it would be cancelled as hung when nothing of its own
 * is left to happen. So whoever opens a group (the leader) hands the send to `waitUntil`, those who join race it against
 * a timer of their own, and one who has waited too long sends a copy under the same identity.
 */
import { encodeEnvelope } from "../../engine/envelope.ts";
import type { EventQueue } from "../../engine/event-queue.ts";
import type { Segment } from "../../engine/segment.ts";
import type { Packed } from "../../engine/source/packer.ts";

/** A group is one message: just under what the queue bills as one unit. */
const GROUP_BYTES = 63_000;
/** What is larger travels by itself: sharing saves it little. */
const MAX_MEMBER_BYTES = 24_000;
/** How often one who joined looks for himself, and when he gives up on the others. */
const LOOK_MS = 25;
const PATIENCE_MS = 2_000;
/** A send that was never seen to end (its request was cancelled) stops counting as under way. */
const FORGET_MS = 5_000;

/** What the segments of a group have in common. */
export interface GroupHeader {
  readonly generation: number;
  readonly fingerprint: string;
  readonly source: string;
}

interface Group {
  readonly segments: Segment[];
  bytes: number;
  readonly sent: Promise<void>;
  outcome?: { readonly error?: unknown };
}

export class GroupCommit {
  readonly #lingerMs: number;
  readonly #underWay = new Map<object, number>();
  #open: Group | undefined;

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
    header: GroupHeader,
    queue: EventQueue,
    waitUntil: (work: Promise<unknown>) => void,
  ): Promise<void> {
    const [message] = packed.messages;
    const alone = this.#lingerMs === 0 || packed.messages.length !== 1 || message === undefined;
    if (alone || packed.bytes > MAX_MEMBER_BYTES || !this.#busy()) {
      await this.#sending(() => queue.send(packed.messages));
      return;
    }
    const open = this.#open;
    if (open !== undefined && open.bytes + packed.bytes <= GROUP_BYTES) {
      await this.#follow(open, packed, queue);
      return;
    }
    await this.#lead(packed, header, queue, waitUntil);
  }

  async #lead(
    { segments, bytes }: Packed,
    header: GroupHeader,
    queue: EventQueue,
    waitUntil: (work: Promise<unknown>) => void,
  ): Promise<void> {
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    const group: Group = { segments: [...segments], bytes, sent };
    this.#open = group;
    const work = (async () => {
      for (const until = Date.now() + this.#lingerMs; this.#busy() && Date.now() < until; ) await sleep(1);
      if (this.#open === group) this.#open = undefined;
      try {
        await this.#sending(() => queue.send([encodeEnvelope({ ...header, segments: group.segments })]));
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

  async #follow(group: Group, { segments, messages, bytes }: Packed, queue: EventQueue): Promise<void> {
    group.segments.push(...segments);
    group.bytes += bytes;
    for (const until = Date.now() + PATIENCE_MS; group.outcome === undefined && Date.now() < until; ) {
      await Promise.race([group.sent, sleep(LOOK_MS)]);
    }
    if (group.outcome !== undefined) {
      settle(group);
      return;
    }
    // Its leader is slow, or gone for good: nobody else should join and wait as long.
    if (this.#open === group) this.#open = undefined;
    await queue.send(messages);
  }

  async #sending(send: () => Promise<void>): Promise<void> {
    const token = {};
    this.#underWay.set(token, Date.now());
    try {
      await send();
    } finally {
      this.#underWay.delete(token);
    }
  }

  #busy(): boolean {
    for (const [token, since] of this.#underWay) {
      if (Date.now() - since < FORGET_MS) return true;
      this.#underWay.delete(token);
    }
    return false;
  }
}

/** @throws what the send of the group threw: nobody of it knows more. */
function settle({ outcome }: Group): void {
  if (outcome !== undefined && "error" in outcome) throw outcome.error;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
