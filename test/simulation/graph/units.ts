/** Units: what a segment holds for one shard, wherever it is found, and the letters that a shard keeps. */
import type { DeadLetter } from "../../../src/engine/shard/protocol.ts";
import type { StateStore } from "../../../src/state/store.ts";

/** What a segment holds for one shard. */
export interface Unit {
  readonly source: string;
  readonly operator: string;
  readonly shard: number;
  readonly producer: string;
  readonly sequence: number;
  readonly content: string;
}

/** The letters of a shard, with their numbers. */
export function lettersOf(store: StateStore): { number: number; letter: DeadLetter }[] {
  return store
    .listDeadLetters(0, 1e9)
    .map(({ number, data }) => ({ number, letter: JSON.parse(data) as DeadLetter }));
}
