/**
 * Network: whatever waits, waits here, and goes on when the scheduler says so: calls, sends, writes, timeouts.
 *
 * A promise is only ever settled by `step`, so a seed replays exactly. What a process has under way when it dies may still
 * arrive; but nobody is there to be told, and nothing more comes from it.
 */
import type { VirtualClock } from "../../../src/clock.ts";
import type { Random } from "../random.ts";
import type { FaultKind, Faults } from "./faults.ts";

/** A process: an isolate, or an object that was woken up. */
export interface Process {
  dead: boolean;
}

/** What the world makes of a call that goes wrong; code under test sees an Error. */
export class NetworkError extends Error {}

interface Pending {
  readonly owner: Process;
  readonly due: number;
  readonly arrive: () => void;
}

export interface Losses {
  readonly lost: FaultKind;
  /** It was done, and its caller is told otherwise. */
  readonly done: FaultKind;
}

const CALLS: Losses = { lost: "call lost", done: "answer lost" };

export class Network {
  #pending: Pending[] = [];
  readonly #random: Random;
  readonly #clock: VirtualClock;
  readonly #faults: Faults;

  constructor(random: Random, clock: VirtualClock, faults: Faults) {
    this.#random = random;
    this.#clock = clock;
    this.#faults = faults;
  }

  get size(): number {
    return this.#pending.length;
  }

  /** When the first of it is due, epoch milliseconds. */
  get nextDue(): number | undefined {
    const due = this.#pending.map((pending) => pending.due);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Does `work` at the other end, when it arrives there. @param fail makes the error that the caller gets. */
  call<T>(
    owner: Process,
    work: () => T,
    losses: Losses = CALLS,
    fail: (message: string, outcome: "none" | "unknown") => Error = (message) => new NetworkError(message),
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (owner.dead) return;
      const settle = (how: () => void) => {
        if (!owner.dead) how();
      };
      const arrive = () => {
        if (this.#faults.strikes(losses.lost)) {
          settle(() => reject(fail("it was lost", "none")));
          return;
        }
        try {
          const result = work();
          if (this.#faults.strikes(losses.done)) settle(() => reject(fail("the answer was lost", "unknown")));
          else settle(() => resolve(result));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      this.#pending.push({ owner, due: this.#clock.now(), arrive });
    });
  }

  /** Resolves `ms` later, or later still. */
  wait(owner: Process, ms: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const arrive = () => {
        if (!owner.dead) resolve();
      };
      this.#pending.push({ owner, due: this.#clock.now() + ms, arrive });
    });
  }

  /** Lets one of those that are due go on, any of them. @returns false when none is. */
  step(): boolean {
    const now = this.#clock.now();
    const due: number[] = [];
    for (let at = 0; at < this.#pending.length; at++) {
      if ((this.#pending[at] as Pending).due <= now) due.push(at);
    }
    if (due.length === 0) return false;
    const [pending] = this.#pending.splice(this.#random.pick(due), 1) as [Pending];
    pending.arrive();
    return true;
  }

  /** A process died: some of what it had under way never left it. */
  died(): void {
    this.#pending = this.#pending.filter(({ owner }) => !owner.dead || this.#random.chance(0.5));
  }
}
