/** Feeder: sends events at a rate, a few requests a second, and does what the server tells it: wait, or stop. */
import type { ReadonlySignal } from "@preact/signals";
import { signal } from "@preact/signals";
import { ApiProblem, describe } from "../../api/problem.ts";
import type { Accepted } from "../../api/types.ts";
import type { FeedState } from "./feed-state.ts";
import { IDLE, withAccepted, withRefusal } from "./feed-state.ts";
import { Pacer } from "./pacer.ts";
import { eventOf } from "./template.ts";

/** The world as a feeder needs it. Times are epoch ms. */
export interface FeederPorts {
  post(source: string, events: readonly unknown[]): Promise<{ readonly body: Accepted; readonly ms: number }>;
  now(): number;
  /** Resolves early when it is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  random(): number;
}

export interface FeedOrder {
  readonly source: string;
  readonly template: string;
  /** Events a second; asked again and again, as it may change. */
  readonly rate: () => number;
  /** Events of each request; as many as are due by default. */
  readonly perRequest?: number;
}

const TICK_MS = 250;
const MOST_AT_ONCE = 4;
/** After a request that nobody answered. */
const OFFLINE_MS = 2_000;

export class Feeder {
  readonly #ports: FeederPorts;
  readonly #state = signal<FeedState>(IDLE);
  #run: AbortController | undefined;

  constructor(ports: FeederPorts) {
    this.#ports = ports;
  }

  get state(): ReadonlySignal<FeedState> {
    return this.#state;
  }

  /** Begins anew, with all numbers at nothing. */
  start(order: FeedOrder): void {
    this.stop();
    const run = new AbortController();
    this.#run = run;
    this.#state.value = { ...IDLE, running: true, startedAt: this.#ports.now() };
    void this.#feed(order, run.signal);
  }

  /** What is on its way is still counted. @param reason when nobody asked for it. */
  stop(reason?: string): void {
    if (this.#run === undefined) return;
    this.#run.abort();
    this.#run = undefined;
    const { waitingUntil: _, problem: __, ...state } = this.#state.value;
    this.#state.value = { ...state, running: false, ...(reason === undefined ? {} : { problem: reason }) };
  }

  async #feed({ source, template, rate, perRequest = 1 }: FeedOrder, run: AbortSignal): Promise<void> {
    const ports = this.#ports;
    const pacer = new Pacer(ports.now());
    const pending = new Set<Promise<void>>();
    let made = 0;
    const request = (count: number) => {
      const now = ports.now();
      const events = Array.from({ length: count }, () =>
        eventOf(template, { n: made++, random: ports.random, now }),
      );
      const answered = this.#post(source, events, run).finally(() => pending.delete(answered));
      pending.add(answered);
    };
    while (!run.aborted) {
      const now = ports.now();
      const { waitingUntil = 0 } = this.#state.value;
      // Asked while it waits, too: what is not sent then is not made up for.
      const due = pacer.take(now, rate(), perRequest);
      if (waitingUntil <= now) {
        if (waitingUntil > 0) this.#over();
        const size = perRequest > 1 ? perRequest : due;
        for (let left = due; left > 0 && pending.size < MOST_AT_ONCE; left -= size) request(size);
      }
      await ports.wait(TICK_MS, run);
    }
  }

  async #post(source: string, events: readonly unknown[], run: AbortSignal): Promise<void> {
    const ports = this.#ports;
    try {
      const { body, ms } = await ports.post(source, events);
      const { accepted } = body;
      // A run that was stopped counts what it sent, unless another one counts by now.
      if (this.#isOther(run)) return;
      const answer = { now: ports.now(), ms, accepted, rejected: events.length - accepted };
      this.#state.value = withAccepted(this.#state.value, answer);
    } catch (thrown) {
      if (this.#isOther(run)) return;
      this.#failed(thrown, events.length);
    }
  }

  #failed(thrown: unknown, events: number): void {
    const now = this.#ports.now();
    const state = this.#state.value;
    if (thrown instanceof ApiProblem && thrown.retryAfter !== undefined) {
      this.#state.value = withRefusal(state, thrown, now, now + thrown.retryAfter * 1_000);
    } else if (thrown instanceof ApiProblem && thrown.status === 0) {
      const unanswered = state.unanswered + events;
      this.#state.value = { ...state, unanswered, problem: thrown.detail, waitingUntil: now + OFFLINE_MS };
    } else {
      const rejection = thrown instanceof ApiProblem ? thrown.rejected[0] : undefined;
      this.#state.value = { ...state, rejected: state.rejected + events };
      this.stop(rejection === undefined ? describe(thrown) : `The source rejects this: ${rejection.error}`);
    }
  }

  #over(): void {
    const { waitingUntil: _, problem: __, ...state } = this.#state.value;
    this.#state.value = state;
  }

  #isOther(run: AbortSignal): boolean {
    return this.#run !== undefined && this.#run.signal !== run;
  }
}
