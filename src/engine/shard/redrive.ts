/**
 * Redrive: sends dead letters of a shard again, each under an identity of its own that never changes.
 *
 * The letter leaves the count of dead events in a commit before it is sent, and its row goes when it was sent. A crash
 * in between leaves the row; redriven again, it is the same segment, which counts once.
 */
import { fingerprintOf } from "../../hash.ts";
import type { OperatorPlan, Plan, SourcePlan } from "../../plan.ts";
import { MEMORY_LIMITS } from "../memory-queue.ts";
import { encodeEnvelope } from "../envelope.ts";
import { ProducerKind } from "../segment.ts";
import type { Segment } from "../segment.ts";
import { passThrough } from "../source/chain.ts";
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
    const wanted = new Set(numbers);
    const sends: { source: string; messages: readonly string[] }[] = [];
    const unreleased: NumberedLetter[] = [];
    for (const { number, data } of store.listDeadLetters(0, Number.MAX_SAFE_INTEGER)) {
      if (!wanted.has(number)) continue;
      const letter = JSON.parse(data) as DeadLetter;
      const source = plan.sources.get(letter.source);
      if (source === undefined) continue;
      sends.push({ source: source.name, messages: messagesOf(plan, source, operator, shard, number, letter) });
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
): readonly string[] {
  const name = `${plan.generation}/${operator.name}/${shard.options.shard}`;
  const producer = fingerprintOf(`redrive ${name}`) + fingerprintOf(name);
  const arrival = shard.options.clock.now();
  const identity = { producer, sequence: number, kind: ProducerKind.redrive, arrival, before: 0, single: true };
  const header = { plan, source: source.name, fingerprint: plan.fingerprint };
  if (letter.event !== undefined) {
    // The event walks the steps again, with the code of today; only what leads to this operator is sent.
    const { event } = letter;
    const combined = new Combiner([operator]);
    const { routed, failed } = passThrough(source.steps, event);
    const own = <T extends { target: unknown }>(list: readonly T[]) => list.filter(({ target }) => target === operator);
    combined.add(event, { routed: own(routed), failed: own(failed) });
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
