/** count window: aggregates the last so many events of a key, whenever they came; see countWindow. */
import type { Collector } from "../collector.ts";
import type { Event } from "../event.ts";
import type { Aggregate, WindowResult } from "../operator.ts";
import type { ProcessContext } from "../process.ts";
import { ProcessFunction } from "../process.ts";
import type { CountWindows } from "../windows/count.ts";

/**
 * A pane: the accumulator of events that came one after the other and belong to the same windows, and their first and last
 * time. So tumbling windows keep one accumulator, and sliding ones as many as steps fit into their size.
 */
type Part = readonly [accumulator: unknown, start: number, last: number];

/** What a key keeps. */
interface Kept {
  /** The panes that a window to come needs, oldest first; the last one may not be full. */
  readonly parts: readonly Part[];
  /** Events since the last result. */
  readonly since: number;
  readonly results: number;
}

const NOTHING: Kept = { parts: [], since: 0, results: 0 };

export class CountWindowFunction<In, Acc, Out> extends ProcessFunction<In, WindowResult<Out>> {
  readonly windows: CountWindows;
  readonly aggregate: Aggregate<In, Acc, Out>;
  /** Events of a pane. Source: Li et al., "No pane, no gain" (2005). */
  readonly #pane: number;

  constructor(windows: CountWindows, aggregate: Aggregate<In, Acc, Out>) {
    super(aggregate.name, aggregate.options);
    this.windows = windows;
    this.aggregate = aggregate;
    this.#pane = greatestCommonDivisor(windows.size, windows.slide);
  }

  override get signature(): string {
    return `${this.windows.signature}:${this.aggregate.signature}`;
  }

  apply(event: Event<In>, collector: Collector<WindowResult<Out>>, { key, state }: ProcessContext): void {
    const { size, slide } = this.windows;
    const { aggregate } = this;
    const kept = state.value<Kept>("kept");
    const { parts: before, since, results } = kept.get() ?? NOTHING;
    const parts = this.#added(before, since, event).slice(-size / this.#pane);
    if (since + 1 < slide) {
      kept.set({ parts, since: since + 1, results });
      return;
    }
    const all = parts.reduce<Acc>(
      (sum, [one]) => aggregate.merge(sum, structuredClone(one) as Acc),
      aggregate.create(),
    );
    const window = {
      start: Math.min(...parts.map(([, start]) => start)),
      end: Math.max(...parts.map(([, , last]) => last)) + 1,
    };
    const value = aggregate.result(all);
    collector.emit(
      { key, window, value, pane: { index: results, timing: "on-time" } },
      { time: window.end - 1 },
    );
    state.value<Out>("last").set(value);
    // Where windows do not overlap, nothing of this one is needed again.
    const overlap = Math.max(0, size - slide) / this.#pane;
    kept.set({ parts: overlap === 0 ? [] : parts.slice(-overlap), since: 0, results: results + 1 });
  }

  /** With the event in the last pane, or in a new one when that is full. */
  #added(parts: readonly Part[], since: number, event: Event<In>): readonly Part[] {
    const { aggregate } = this;
    const { time } = event;
    const open = since % this.#pane === 0 ? undefined : parts.at(-1);
    if (open === undefined) return [...parts, [aggregate.add(aggregate.create(), event), time, time]];
    const [accumulator, start, last] = open;
    // Hooks may change what they are given first; what state gives must stay as it is.
    const sum = aggregate.add(structuredClone(accumulator) as Acc, event);
    return [...parts.slice(0, -1), [sum, Math.min(start, time), Math.max(last, time)]];
  }

  /** The value of the last window. */
  override view({ last }: Readonly<Record<string, unknown>>): unknown {
    return last;
  }
}

/** Source: Euclid. */
function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
