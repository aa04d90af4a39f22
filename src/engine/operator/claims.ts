/** Claims: settles which plan's copy of a client's segment counts, before any shard sees it. */
import { ProducerKind } from "../segment.ts";
import type { Message } from "./message.ts";

/**
 * Decides which plan may route a client's segment. A client may send a segment again after a deploy that routes
 * differently; were both copies applied, an event could count in two shards, or in none. The first plan whose copy
 * is claimed wins; copies that another plan routed are duplicates.
 */
export interface Claims {
  /** Claims durably; true for each sequence that `fingerprint` holds now, false for those that another one does. */
  claim(producer: string, fingerprint: string, sequences: readonly number[]): Promise<boolean[]>;
}

/** What of a batch goes on, and what has to wait. */
export interface Claimed {
  /** Without the segments of clients that another plan's copy was claimed for. */
  readonly messages: readonly Message[];
  /** Nobody could be asked about these. */
  readonly undecided: readonly Message[];
}

/** Claims the clients' segments of a batch, with one call per producer and plan. */
export async function claimAll(
  messages: readonly Message[],
  claims: Claims,
  onError?: (error: unknown, about: string) => void,
): Promise<Claimed> {
  const wanted = new Map<string, { producer: string; fingerprint: string; sequences: Set<number> }>();
  for (const { envelope, segments } of messages) {
    for (const { kind, producer, sequence } of segments) {
      if (kind !== ProducerKind.client) continue;
      const id = `${producer}/${envelope.fingerprint}`;
      const group = wanted.get(id) ?? { producer, fingerprint: envelope.fingerprint, sequences: new Set() };
      wanted.set(id, group);
      group.sequences.add(sequence);
    }
  }
  if (wanted.size === 0) return { messages, undecided: [] };
  const lost = new Set<string>();
  const undecided = new Set<string>();
  await Promise.all(
    [...wanted].map(async ([id, { producer, fingerprint, sequences }]) => {
      const list = [...sequences];
      try {
        const held = await claims.claim(producer, fingerprint, list);
        list.forEach((sequence, n) => held[n] === true || lost.add(`${id}/${sequence}`));
      } catch (error) {
        onError?.(error, `claims of ${producer}`);
        undecided.add(id);
      }
    }),
  );
  const going: Message[] = [];
  const waiting: Message[] = [];
  for (const message of messages) {
    const { fingerprint } = message.envelope;
    if (message.segments.some(({ producer }) => undecided.has(`${producer}/${fingerprint}`))) {
      waiting.push(message);
      continue;
    }
    const segments = message.segments.filter(
      ({ producer, sequence }) => !lost.has(`${producer}/${fingerprint}/${sequence}`),
    );
    going.push({ ...message, segments });
  }
  return { messages: going, undecided: waiting };
}
