/** KeyEntry: the state and the timers of one key, as one stored value, and the copy that a hook works on. */
import { MAX_TIME } from "../../../clock.ts";
import { millisecondsOf } from "../../../duration.ts";
import type {
  KeyState,
  ListState,
  MapState,
  ProcessContext,
  StateOptions,
  Timers,
  ValueState,
} from "../../../process.ts";
import { storable } from "../../accumulator.ts";
import { checkTimer } from "./timer-index.ts";

/** `[value]`, or `[value, when it expires]` */
type Cell = readonly [value: unknown, expires?: number];

/** What is stored for a key. JSON; fields are only ever appended. */
export interface KeyEntry {
  readonly s?: Readonly<Record<string, Cell>>;
  /** When each timer is due, by name. */
  readonly t?: Readonly<Record<string, number>>;
  /** The same in event time. */
  readonly e?: Readonly<Record<string, number>>;
}

/** The timer that removes expired state; no user's timer may have this name. */
export const EXPIRY_TIMER = "\u0001ttl";

/** What a hook is run for. */
export interface KeyWorkOptions {
  readonly operator: string;
  readonly key: string;
  readonly now: number;
  readonly watermark: number;
  /** Whether timers in event time may be set. */
  readonly eventTime: boolean;
}

/** What a hook reads and changes. The stored entry stays as it is until `entry` is put in its place. */
export class KeyWork implements ProcessContext, KeyState {
  readonly operator: string;
  readonly key: string;
  readonly now: number;
  readonly watermark: number;
  readonly timers: KeyTimers;
  readonly eventTimers: KeyTimers;
  readonly #cells: Map<string, Cell>;
  #changed = false;
  #late = false;

  constructor(options: KeyWorkOptions, entry: KeyEntry | undefined) {
    this.operator = options.operator;
    this.key = options.key;
    this.now = options.now;
    this.watermark = options.watermark;
    this.#cells = new Map(Object.entries(entry?.s ?? {}));
    this.timers = new KeyTimers(entry?.t);
    this.eventTimers = new KeyTimers(
      entry?.e,
      options.eventTime
        ? undefined
        : `${options.operator}: to set timers in event time, give it the option eventTime: true`,
    );
  }

  get state(): KeyState {
    return this;
  }

  get changed(): boolean {
    return this.#changed || this.timers.changed || this.eventTimers.changed;
  }

  /** Whether the hook has said that its event is late. */
  get isLate(): boolean {
    return this.#late;
  }

  late(): void {
    this.#late = true;
  }

  /** What is to be stored; null when nothing is left. */
  entry(): KeyEntry | null {
    this.#keepExpiryTimer();
    const t = this.timers.entry();
    const e = this.eventTimers.entry();
    if (this.#cells.size === 0 && t === undefined && e === undefined) return null;
    return {
      ...(this.#cells.size === 0 ? {} : { s: Object.fromEntries(this.#cells) }),
      ...(t === undefined ? {} : { t }),
      ...(e === undefined ? {} : { e }),
    };
  }

  /** Takes away what has expired. */
  expire(): void {
    for (const [name, [, expires]] of this.#cells) {
      if (expires !== undefined && expires <= this.now) this.#drop(name);
    }
  }

  value<T>(name: string, options?: StateOptions): ValueState<T> {
    return {
      get: () => this.#read(name) as T | undefined,
      set: (value) => this.#write(name, value, options),
      clear: () => this.#drop(name),
    };
  }

  list<T>(name: string, options?: StateOptions): ListState<T> {
    const get = () => (this.#read(name) ?? []) as readonly T[];
    return {
      get,
      add: (value) => this.#write(name, [...get(), value], options),
      set: (values) => this.#write(name, [...values], options),
      clear: () => this.#drop(name),
    };
  }

  map<T>(name: string, options?: StateOptions): MapState<T> {
    const entries = () => (this.#read(name) ?? []) as [string, T][];
    const others = (key: string) => entries().filter(([other]) => other !== key);
    return {
      get: (key) => entries().find(([other]) => other === key)?.[1],
      has: (key) => entries().some(([other]) => other === key),
      set: (key, value) => this.#write(name, [...others(key), [key, value]], options),
      delete: (key) => this.#write(name, others(key), options),
      entries,
      clear: () => this.#drop(name),
    };
  }

  #read(name: string): unknown {
    const [value, expires] = this.#cells.get(name) ?? [];
    return expires !== undefined && expires <= this.now ? undefined : value;
  }

  #write(name: string, value: unknown, options: StateOptions = {}): void {
    const [stored] = storable([value]);
    const { ttl } = options;
    this.#cells.set(name, ttl === undefined ? [stored] : [stored, this.#after(millisecondsOf(ttl))]);
    this.#changed = true;
  }

  /** A time that the timer index can sort by. */
  #after(ms: number): number {
    return Math.min(this.now + Math.ceil(ms), MAX_TIME);
  }

  #drop(name: string): void {
    if (this.#cells.delete(name)) this.#changed = true;
  }

  /** Due when the first state expires: so a key that nobody touches any more is cleaned up all the same. */
  #keepExpiryTimer(): void {
    let first = Number.POSITIVE_INFINITY;
    for (const [, expires] of this.#cells.values()) first = Math.min(first, expires ?? first);
    this.timers.keep(EXPIRY_TIMER, first === Number.POSITIVE_INFINITY ? undefined : first);
  }
}

/** The timers of one key in one kind of time. */
export class KeyTimers implements Timers {
  readonly #times: Map<string, number>;
  readonly #refusal: string | undefined;
  #changed = false;

  /** @param refusal why none may be set. */
  constructor(entry: Readonly<Record<string, number>> = {}, refusal?: string) {
    this.#times = new Map(Object.entries(entry));
    this.#refusal = refusal;
  }

  get changed(): boolean {
    return this.#changed;
  }

  set(name: string, at: number): void {
    if (this.#refusal !== undefined) throw new RangeError(this.#refusal);
    checkTimer(name, at);
    if (name === EXPIRY_TIMER) throw new RangeError(`a timer cannot be named ${JSON.stringify(name)}`);
    this.#times.set(name, Math.max(0, Math.ceil(at)));
    this.#changed = true;
  }

  /** Also when a timer has fired: it is no more. */
  delete(name: string): void {
    if (this.#times.delete(name)) this.#changed = true;
  }

  get(name: string): number | undefined {
    return this.#times.get(name);
  }

  /** Sets or takes away one of the engine's own, which follows from what else has changed. */
  keep(name: string, at: number | undefined): void {
    if (at === undefined) this.#times.delete(name);
    else this.#times.set(name, at);
  }

  /** By name; undefined when there is none. */
  entry(): Readonly<Record<string, number>> | undefined {
    return this.#times.size === 0 ? undefined : Object.fromEntries(this.#times);
  }
}
