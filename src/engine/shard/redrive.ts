/**
 * Redrive: sends dead letters of a shard again, each under an identity of its own that never changes.
 *
 * The letter leaves the count of dead events in a commit before it is sent, and its row goes when it was sent. A crash
 * in between leaves the row, with what was sent; redriven again, it is the same segment, which counts once, whatever a
 * deploy in between would make of the event. What came from a source or is bound for a stage goes by their queue; what
 * came from another shard goes to its shards by calls.
 */
import { messageOf } from "../../errors.ts";
import type { Event } from "../../event.ts";
import { fingerprintOf } from "../../hash.ts";
import type { OperatorPlan, Origin, Plan, QueueNames, Step, Target } from "../../plan.ts";
import { originOf } from "../../plan.ts";
import { encodeEnvelope, seal } from "../envelope.ts";
import { MEMORY_LIMITS } from "../memory-queue.ts";
import type { Segment } from "../segment.ts";
import { ProducerKind } from "../segment.ts";
import { findStep, passThrough } from "../source/chain.ts";
import { Combiner } from "../source/combiner.ts";
import { pack } from "../source/packer.ts";
import type { Passage } from "../source/passage.ts";
import type { NumberedLetter } from "./commit.ts";
import { ProcessProcessor } from "./processors/process.ts";
import type { DeadLetter, ShardCall } from "./protocol.ts";
import { SHARD_CALL_VERSION } from "./protocol.ts";
import type { Shard } from "./shard.ts";

export interface RedriveSend {
  readonly source: string;
  readonly queue: QueueNames;
  readonly messages: readonly string[];
}

export class Redrive {
  /** What is to be sent to queues. */
  readonly sends: readonly RedriveSend[];
  /** What is to be applied by shards: each must be taken, neither refused nor busy. */
  readonly calls: readonly ShardCall[];
  readonly #shard: Shard;
  readonly #numbers: number[] = [];

  /** Takes the letters out of the count and lays them into messages. Unknown numbers are passed over. */
  constructor(plan: Plan, shard: Shard, numbers: readonly number[]) {
    this.#shard = shard;
    const sends: RedriveSend[] = [];
    const calls: ShardCall[] = [];
    const unreleased: NumberedLetter[] = [];
    for (const number of new Set(numbers)) {
      const [row] = shard.options.store.listDeadLetters(number - 1, 1);
      if (row?.number !== number) continue;
      const letter = JSON.parse(row.data) as DeadLetter;
      const segments = letter.timer === undefined ? segmentsOf(plan, shard, number, letter) : [];
      if (segments === undefined) continue;
      const queue = queueFor(plan, shard.options.operator, letter);
      if (queue === undefined) calls.push(...callsOf(plan, letter.source, segments));
      else sends.push({ source: letter.source, queue, messages: messagesOf(plan, letter.source, segments) });
      if (letter.released !== true) {
        const sent = segments[0]?.parts;
        unreleased.push({ number, letter: sent === undefined ? letter : { ...letter, sent } });
      }
      this.#numbers.push(number);
    }
    if (unreleased.length > 0) release(shard, unreleased);
    this.sends = sends;
    this.calls = calls;
  }

  /** Forgets the letters: all messages were sent, all calls were taken. @returns how many letters. */
  finish(): number {
    const { store } = this.#shard.options;
    store.transaction(() => {
      for (const number of this.#numbers) store.deleteDeadLetter(number);
    });
    return this.#numbers.length;
  }
}

/** A timer is set again, due at once; anything else is about to be sent. */
function release(shard: Shard, letters: readonly NumberedLetter[]): void {
  const { processor } = shard;
  const keys = letters.flatMap(({ letter: { timer } }) => (timer === undefined ? [] : [timer.key]));
  shard.transact(keys, (commit) => {
    for (const { number, letter } of letters) {
      commit.releaseDeadLetter(number, letter);
      if (letter.timer === undefined || !(processor instanceof ProcessProcessor)) continue;
      try {
        processor.arm(letter.timer, commit);
      } catch (error) {
        // There is no room for its key: it stays a dead letter, under another number.
        commit.bury({ ...letter, error: messageOf(error) });
      }
    }
  });
}

/** The queue that takes a letter; undefined when it goes to shards. */
function queueFor(plan: Plan, operator: OperatorPlan, { source }: DeadLetter): QueueNames | undefined {
  return plan.sources.get(source)?.queue ?? (operator.kind === "stage" ? operator.queue : undefined);
}

function segmentsOf(
  plan: Plan,
  shard: Shard,
  number: number,
  letter: DeadLetter,
): readonly Segment[] | undefined {
  const origin = originOf(plan, letter.source);
  if (origin === undefined) return undefined;
  const { operator } = shard.options;
  const name = `${plan.generation}/${operator.name}/${shard.options.shard}`;
  const producer = fingerprintOf(`redrive ${name}`) + fingerprintOf(name);
  const arrival = shard.options.clock.now();
  const identity = {
    producer,
    sequence: number,
    kind: ProducerKind.redrive,
    arrival,
    before: 0,
    single: true,
  };
  if (letter.sent !== undefined) return [{ ...identity, events: 0, parts: letter.sent }];
  if (letter.event !== undefined) {
    const passage = resume(origin, operator, letter.operator, letter.event);
    if (passage === undefined) return undefined;
    const combined = new Combiner([operator]);
    combined.add(passage, letter.n === 0 ? 0 : 1);
    const header = { plan, source: origin.name, fingerprint: plan.fingerprint };
    return pack(header, combined.items(producer), 0, identity, MEMORY_LIMITS).segments;
  }
  const { key = "", partial } = letter.record ?? {};
  const content = {
    shard: shard.options.shard,
    records: [key, partial, letter.n],
    dropped: 0,
    dead: [],
    // What has readers wants to know when: the time of the failure is the best that is left.
    ...(operator.kind === "aggregate" && operator.outputs.targets.length > 0 ? { times: [letter.time] } : {}),
  };
  const part = { operator: operator.name, shards: operator.shards, byShard: [content] };
  return [{ ...identity, events: 0, parts: [part] }];
}

function messagesOf(plan: Plan, source: string, segments: readonly Segment[]): string[] {
  const { generation, fingerprint } = plan;
  return segments.map((segment) => encodeEnvelope({ generation, fingerprint, source, segments: [segment] }));
}

function callsOf({ generation }: Plan, source: string, segments: readonly Segment[]): ShardCall[] {
  return segments.flatMap(({ parts, ...segment }) =>
    parts.flatMap(({ operator, shards, byShard }) =>
      byShard.map(({ shard, ...content }): ShardCall => {
        const told = { ...segment, source, anchored: false, content: seal(content) };
        return { v: SHARD_CALL_VERSION, generation, operator, shard, shards, segments: [told] };
      }),
    ),
  );
}

/**
 * The event goes on where it failed, with the code of today; only what leads to this operator is sent. Its siblings from
 * a flatMap were applied when it failed, so it must not start again; when the step is gone, it stays a dead letter.
 */
function resume(
  { onError, outputs }: Origin,
  operator: OperatorPlan,
  failedAt: string,
  event: Event<unknown> & { readonly port?: number },
): Passage | undefined {
  const { port = 0 } = event;
  if (failedAt === operator.name) return { routed: [{ target: operator, event, port }], failed: [] };
  const steps: readonly Step[] = [outputs.main, ...Object.values(outputs.sides)].flat();
  const step = findStep(steps, failedAt);
  if (step === undefined) return undefined;
  try {
    const { routed, failed } = passThrough([step], event, { onError });
    const own = <T extends { readonly target: Target }>(list: readonly T[]): T[] =>
      list.flatMap((one) => (one.target.name === operator.name ? [{ ...one, target: operator }] : []));
    return { routed: own(routed), failed: own(failed) };
  } catch {
    // It has become invalid (its key is one no more): there is no sender to tell.
    return undefined;
  }
}
