/** KeyEntry: the state and the timers of one key, as one stored value, and the copy that a hook works on. */
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
import { checkTimer, MAX_TIME } from "./timer-index.ts";

/** `[value]`, or `[value, when it expires]` */
type Cell = readonly [value: unknown, expires?: number];

/** What is stored for a key. JSON; fields are only ever appended. */
export interface KeyEntry {
  readonly s?: Readonly<Record<string, Cell>>;
  /** When each timer is due, by name. */
  readonly t?: Readonly<Record<string, number>>;
}

/** The timer that removes expired state; no user's timer may have this name. */
export const EXPIRY_TIMER = "\u0001ttl";

/** What a hook reads and changes. The stored entry stays as it is until `entry` is put in its place. */
export class KeyWork implements ProcessContext, KeyState, Timers {
  readonly operator: string;
  readonly key: string;
  readonly now: number;
  readonly #cells: Map<string, Cell>;
  readonly #timers: Map<string, number>;
  #changed = false;

  constructor(operator: string, key: string, now: number, entry: KeyEntry | undefined) {
    this.operator = operator;
    this.key = key;
    this.now = now;
    this.#cells = new Map(Object.entries(entry?.s ?? {}));
    this.#timers = new Map(Object.entries(entry?.t ?? {}));
  }

  get state(): KeyState {
    return this;
  }

  get timers(): Timers {
    return this;
  }

  get changed(): boolean {
    return this.#changed;
  }

  /** What is to be stored; null when nothing is left. */
  entry(): KeyEntry | null {
    this.#keepExpiryTimer();
    if (this.#cells.size === 0 && this.#timers.size === 0) return null;
    return {
      ...(this.#cells.size === 0 ? {} : { s: Object.fromEntries(this.#cells) }),
      ...(this.#timers.size === 0 ? {} : { t: Object.fromEntries(this.#timers) }),
    };
  }

  /** Takes away what has expired. */
  expire(): void {
    for (const [name, [, expires]] of this.#cells) {
      if (expires !== undefined && expires <= this.now) this.#drop(name);
    }
  }

  /** A timer has fired: it is no more. */
  fired(name: string): void {
    if (this.#timers.delete(name)) this.#changed = true;
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

  set(name: string, at: number): void {
    checkTimer(name, at);
    if (name === EXPIRY_TIMER) throw new RangeError(`a timer cannot be named ${JSON.stringify(name)}`);
    this.#timers.set(name, Math.max(0, Math.ceil(at)));
    this.#changed = true;
  }

  delete(name: string): void {
    if (this.#timers.delete(name)) this.#changed = true;
  }

  get(name: string): number | undefined {
    return this.#timers.get(name);
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
    if (first === Number.POSITIVE_INFINITY) this.#timers.delete(EXPIRY_TIMER);
    else this.#timers.set(EXPIRY_TIMER, first);
  }
}
