/**
 * Feed: looks at a view for all who watch it, and tells each of them a snapshot, then what has changed.
 *
 * Shards say that they have committed (`changed`); the feed then looks once, at most every so often, however many
 * watch, and again for as long as they commit faster than that. Nothing is kept but in memory: after it was evicted,
 * viewers get a snapshot again, which replaces what they know, so nothing is ever missing. While nothing changes nothing
 * runs, and its object may sleep.
 */
import { messageOf } from "../../errors.ts";
import type { Attempt } from "../attempt.ts";
import type { LiveMessage, LiveState } from "./message.ts";
import { changeOf, problemOf, snapshotOf } from "./message.ts";

/** What a feed works with. `Socket` is whoever watches; `Query` is what he asked for. */
export interface FeedPorts<Socket extends object, Query> {
  /** What is asked for, by its id; each with everybody who asked for it. */
  topics(): ReadonlyMap<string, { readonly query: Query; readonly sockets: Iterable<Socket> }>;
  send(socket: Socket, text: string): void;
  /** Has the shards say when they commit. Idempotent. */
  subscribe(): Promise<void>;
  /** Everything that is asked for, in one look. Never throws. */
  read(queries: readonly Query[]): Promise<Looks>;
  /** Counts the time until `work` has settled: while a feed waits to look, or for what it finds, its object does not sleep. */
  during(work: Promise<void>): Promise<void>;
}

/** What a look has found, or why it could not. */
export type Look = Attempt<LiveState>;

export interface Looks {
  /** In the order of what was asked. */
  readonly looks: readonly Look[];
  /** Shards commit faster than the feed looks: it looks again, and is not told of commits until then. */
  readonly again: boolean;
}

export interface FeedOptions {
  /** In each message. */
  readonly about: object;
  /** The least time between two looks, ms. */
  readonly every: number;
}

/** After a look that failed, ms; doubled up to the most. */
const RETRY_MS = { first: 1_000, most: 10_000 };

/** What those who watch a topic know. */
interface Known {
  /** Undefined where it could not be read yet. */
  readonly state: LiveState | undefined;
  /** They were told that it cannot be read. */
  readonly broken: boolean;
  /** The last look has found something new, or something on its way. */
  readonly moves: boolean;
}

export class Feed<Socket extends object, Query> {
  readonly #ports: FeedPorts<Socket, Query>;
  readonly #options: FeedOptions;
  readonly #known = new Map<string, Known>();
  #subscribed = false;
  #dirty = false;
  #looking: Promise<void> | undefined;
  /** The next look waits for its time. */
  #waiting: { readonly timer: ReturnType<typeof setTimeout>; readonly over: () => void } | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #retry = 0;

  constructor(ports: FeedPorts<Socket, Query>, options: FeedOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Somebody has begun to watch: he is told what is known, or what a look finds. */
  join(socket: Socket, topic: string): void {
    const known = this.#known.get(topic);
    if (known?.state === undefined || known.broken) {
      this.#dirty = true;
      this.#schedule(0);
    } else {
      // It is up to date, or about to be: the next change is told relative to it, to him as to all others.
      this.#ports.send(socket, JSON.stringify(snapshotOf(this.#options.about, known.state)));
    }
  }

  /** A shard has committed. @returns how often this looks at most, ms; undefined when nobody watches any more. */
  changed(): number | undefined {
    const { every } = this.#options;
    if (this.#ports.topics().size === 0) {
      this.#rest();
      return undefined;
    }
    this.#dirty = true;
    this.#schedule(this.#lookedAt + every - Date.now());
    return every;
  }

  /** One timer at a time; a look that is under way is followed by another if that was asked for meanwhile. */
  #schedule(delay: number): void {
    if (this.#looking !== undefined) return;
    if (delay > 0) {
      if (this.#waiting === undefined) this.#wait(delay);
      return;
    }
    this.#stopWaiting();
    this.#looking = this.#ports.during(this.#look()).finally(() => {
      this.#looking = undefined;
      if (this.#retry > 0) this.#schedule(this.#retry);
      else if (this.#dirty) this.#schedule(this.#isNews() ? 0 : this.#options.every);
    });
  }

  #wait(delay: number): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { timer: setTimeout(() => this.#schedule(0), delay), over: resolve };
    void this.#ports.during(promise);
  }

  async #look(): Promise<void> {
    this.#dirty = false;
    this.#lookedAt = Date.now();
    const asked = [...this.#ports.topics()];
    if (asked.length === 0) return this.#rest();
    let looks: readonly Look[];
    try {
      // Before the first look, so that what is committed after it is told.
      if (!this.#subscribed) await this.#ports.subscribe();
      this.#subscribed = true;
      const found = await this.#ports.read(asked.map(([, { query }]) => query));
      if (found.again) this.#dirty = true;
      looks = found.looks;
    } catch (error) {
      looks = asked.map(() => ({ error: messageOf(error) }));
    }
    const topics = this.#ports.topics();
    for (const id of this.#known.keys()) if (!topics.has(id)) this.#known.delete(id);
    asked.forEach(([id], n) => {
      const look = looks[n];
      const sockets = topics.get(id)?.sockets;
      if (look === undefined || sockets === undefined) return;
      if ("error" in look) this.#broken(id, sockets, look.error);
      else this.#publish(id, sockets, look.answer);
    });
    const failed = looks.some((look) => "error" in look);
    this.#retry = failed ? Math.min(Math.max(this.#retry * 2, RETRY_MS.first), RETRY_MS.most) : 0;
  }

  #publish(id: string, sockets: Iterable<Socket>, state: LiveState): void {
    const { about } = this.#options;
    const before = this.#known.get(id);
    if (before?.state === undefined || before.broken) {
      this.#known.set(id, { state, broken: false, moves: true });
      this.#tell(sockets, snapshotOf(about, state));
      if (state.kind === "health") this.#dirty = true;
      return;
    }
    const change = changeOf(about, before.state, state);
    const moves = change !== undefined || (state.kind === "health" && state.waits);
    this.#known.set(id, { state, broken: false, moves });
    if (state.kind !== "health") {
      if (change !== undefined) this.#tell(sockets, change);
      return;
    }
    // One more after the last change shows that it was the last: rates fall to nothing.
    if (moves || before.moves) this.#tell(sockets, snapshotOf(about, state));
    if (moves) this.#dirty = true;
  }

  /** Those who watch are told once; when it can be read again they get a snapshot. */
  #broken(id: string, sockets: Iterable<Socket>, error: string): void {
    const known = this.#known.get(id);
    if (known?.broken !== true) this.#tell(sockets, problemOf(error));
    this.#known.set(id, { state: known?.state, broken: true, moves: false });
  }

  #tell(sockets: Iterable<Socket>, message: LiveMessage): void {
    const text = JSON.stringify(message);
    for (const socket of sockets) this.#ports.send(socket, text);
  }

  /** Somebody waits for a topic that nobody has looked at. */
  #isNews(): boolean {
    return [...this.#ports.topics().keys()].some((id) => !this.#known.has(id));
  }

  #stopWaiting(): void {
    if (this.#waiting === undefined) return;
    clearTimeout(this.#waiting.timer);
    this.#waiting.over();
    this.#waiting = undefined;
  }

  /** Nobody watches: whoever comes next finds it as it was at first. */
  #rest(): void {
    this.#subscribed = false;
    this.#retry = 0;
    this.#dirty = false;
    this.#known.clear();
    this.#stopWaiting();
  }
}
