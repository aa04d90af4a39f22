/**
 * Redrive: sends dead letters of a shard again, each under an identity of its own that never changes.
 *
 * The letter leaves the count of dead events in a commit before it is sent, and its row goes when it was sent. A crash
 * in between leaves the row; redriven again, it is the same segment, which counts once.
 */
import type { Event } from "../../event.ts";
import { fingerprintOf } from "../../hash.ts";
import type { OperatorPlan, Plan, SourcePlan } from "../../plan.ts";
import { encodeEnvelope } from "../envelope.ts";
import { MEMORY_LIMITS } from "../memory-queue.ts";
import type { Segment } from "../segment.ts";
import { ProducerKind } from "../segment.ts";
import type { Passage } from "../source/chain.ts";
import { findStep, passThrough } from "../source/chain.ts";
import { Combiner } from "../source/combiner.ts";
import { pack } from "../source/packer.ts";
import type { NumberedLetter } from "./commit.ts";
import type { DeadLetter } from "./protocol.ts";
import type { Shard } from "./shard.ts";

export class Redrive {
  /** What is to be sent, by source. */
  readonly sends: readonly { readonly source: string; readonly messages: readonly string[] }[];
  readonly #shard: Shard;
  readonly #numbers: number[] = [];

  /** Takes the letters out of the count and lays them into messages. Unknown numbers are passed over. */
  constructor(plan: Plan, shard: Shard, numbers: readonly number[]) {
    this.#shard = shard;
    const { store, operator } = shard.options;
    const sends: { source: string; messages: readonly string[] }[] = [];
    const unreleased: NumberedLetter[] = [];
    for (const number of new Set(numbers)) {
      const [row] = store.listDeadLetters(number - 1, 1);
      if (row?.number !== number) continue;
      const letter = JSON.parse(row.data) as DeadLetter;
      const source = plan.sources.get(letter.source);
      if (source === undefined) continue;
      const messages = messagesOf(plan, source, operator, shard, number, letter);
      if (messages === undefined) continue;
      sends.push({ source: source.name, messages });
      if (letter.released !== true) unreleased.push({ number, letter });
      this.#numbers.push(number);
    }
    if (unreleased.length > 0) shard.releaseDeadLetters(unreleased);
    this.sends = sends;
  }

  /** Forgets the letters: all messages were sent. @returns how many. */
  finish(): number {
    const { store } = this.#shard.options;
    store.transaction(() => {
      for (const number of this.#numbers) store.deleteDeadLetter(number);
    });
    return this.#numbers.length;
  }
}

function messagesOf(
  plan: Plan,
  source: SourcePlan,
  operator: OperatorPlan,
  shard: Shard,
  number: number,
  letter: DeadLetter,
): readonly string[] | undefined {
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
  const header = { plan, source: source.name, fingerprint: plan.fingerprint };
  if (letter.event !== undefined) {
    const passage = resume(source, operator, letter.operator, letter.event);
    if (passage === undefined) return undefined;
    const combined = new Combiner([operator]);
    combined.add(passage, letter.n === 0 ? 0 : 1);
    return pack(header, combined.items(producer), 0, identity, MEMORY_LIMITS).messages;
  }
  const { key = "", partial } = letter.record ?? {};
  const segment: Segment = {
    ...identity,
    events: 0,
    parts: [
      {
        operator: operator.name,
        shards: operator.shards,
        byShard: [{ shard: shard.options.shard, records: [key, partial, letter.n], dropped: 0, dead: [] }],
      },
    ],
  };
  const { generation, fingerprint } = plan;
  return [encodeEnvelope({ generation, fingerprint, source: source.name, segments: [segment] })];
}

/**
 * The event goes on where it failed, with the code of today; only what leads to this operator is sent. Its siblings from
 * a flatMap were applied when it failed, so it must not start again; when the step is gone, it stays a dead letter.
 */
function resume(
  source: SourcePlan,
  operator: OperatorPlan,
  failedAt: string,
  event: Event<unknown>,
): Passage | undefined {
  if (failedAt === operator.name) return { routed: [{ target: operator, event }], failed: [] };
  const step = findStep(source.steps, failedAt);
  if (step === undefined) return undefined;
  try {
    const { routed, failed } = passThrough([step], event);
    const own = <T extends { target: unknown }>(list: readonly T[]) =>
      list.filter(({ target }) => target === operator);
    return { routed: own(routed), failed: own(failed) };
  } catch {
    // It has become invalid (its key is one no more): there is no sender to tell.
    return undefined;
  }
}
