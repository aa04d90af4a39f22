/** Faults: everything that may go wrong, by name, how often it did, and the switch that ends it all. */
import type { Random } from "../random.ts";

/** Each kind of fault, with its probability where it can happen. */
const UNTIMED_FAULTS = {
  "delivery: duplicated": 0.15,
  "delivery: of a message that is out": 0.2,
  "delivery: segments remixed": 0.5,
  "delivery: days late": 0.5,
  "acknowledgement lost": 0.1,
  "send lost": 0.08,
  "send arrived, said to have failed": 0.1,
  "client sends again": 0.4,
  "call lost": 0.06,
  "answer lost": 0.07,
  "crash at a write": 0.07,
  "crash after a transaction": 0.07,
  "shard evicted": 1,
  "shard died before it handed over": 1,
  "shard busy": 1,
  "operator isolate died": 1,
  "operator isolate died in a batch": 1,
  "stage failed once": 0.12,
  "stage died half committed": 1,
  "write to a target lost": 0.12,
  "write to a target done, said to have failed": 0.15,
  "batch refused": 0.4,
  "poll failed": 0.3,
  "pull source died before its commit": 1,
  "dead letters redriven": 1,
  "redrive broken off": 0.25,
  deploy: 1,
} as const;

/** Those of jobs in event time. */
export const TIMED_FAULTS = {
  "hold report lost": 0.3,
  "hold report duplicated": 0.15,
  "hold never closed": 1,
  "sent long after its arrival": 0.25,
  "want lost": 0.1,
  "commit report lost": 0.08,
  "commit report done, said to have failed": 0.08,
  "commit report duplicated": 0.1,
  "advance lost": 0.08,
  "advance done, said to have failed": 0.08,
  "coordinator died before it saved": 0.02,
  "coordinator died after it saved": 0.02,
  "coordinator evicted": 1,
  /** Not at the end only. */
  "watermark moved among faults": 1,
} as const;

export const FAULTS = { ...UNTIMED_FAULTS, ...TIMED_FAULTS } as const;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];
export type FaultCounts = Record<FaultKind, number>;

export function noFaults(): FaultCounts {
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as FaultCounts;
}

export class Faults {
  readonly counts = noFaults();
  readonly #random: Random;
  /** Nothing goes wrong any more. */
  calm = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether this goes wrong now; counts it if so. */
  strikes(kind: FaultKind): boolean {
    if (this.calm || !this.#random.chance(FAULTS[kind])) return false;
    this.counts[kind]++;
    return true;
  }

  /** It may go wrong now; counted by whoever sees that it did. */
  may(kind: FaultKind): boolean {
    return !this.calm && this.#random.chance(FAULTS[kind]);
  }

  happened(kind: FaultKind): void {
    this.counts[kind]++;
  }
}
