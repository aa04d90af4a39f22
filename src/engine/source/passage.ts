/** Passage: what became of one event on its way through the steps. */
import type { Event } from "../../event.ts";
import type { Target } from "../../plan.ts";

/** Where an event goes, and what threw on the way. */
export interface Passage {
  readonly routed: readonly Routed[];
  /** One entry for each operator that the event would have been on its way to. */
  readonly failed: readonly Failure[];
}

export interface Routed {
  readonly target: Target;
  readonly event: Event<unknown>;
  /** The input of the target that it comes in by. */
  readonly port: number;
}

export interface Failure {
  readonly target: Target;
  /** What threw. */
  readonly operator: string;
  readonly error: string;
  /** What it threw on: the event as it was at that step, so that its siblings from a flatMap are not sent again with it. */
  readonly event: Event<unknown> & { readonly port?: number };
}

/**
 * A passage in the making. It can be used for one event after the other: a request has thousands, and what is made anew for
 * each keeps the garbage collector busy. What it says of an event is valid until it is used for the next.
 */
export class Trail implements Passage {
  /** Those of the event are the first; they are written over. */
  readonly #routed: { -readonly [Name in keyof Routed]: Routed[Name] }[] = [];
  #size = 0;
  #failed: Failure[] = [];

  get routed(): readonly Routed[] {
    return this.#size === this.#routed.length ? this.#routed : this.#routed.slice(0, this.#size);
  }

  get failed(): readonly Failure[] {
    return this.#failed;
  }

  /** Another event is on its way. */
  begin(): void {
    this.#size = 0;
    if (this.#failed.length > 0) this.#failed = [];
  }

  route(target: Target, event: Event<unknown>, port: number): void {
    const used = this.#routed[this.#size++];
    if (used === undefined) {
      this.#routed.push({ target, event, port });
      return;
    }
    used.target = target;
    used.event = event;
    used.port = port;
  }

  fail(failure: Failure): void {
    this.#failed.push(failure);
  }
}
