/** Timed functions: the windows and process functions in event time of simulated jobs, as users would write them. */
import type {
  Aggregator,
  Collector,
  Event,
  ProcessContext,
  Timer,
  WindowAssigner,
  WindowOptions,
  WindowResult,
} from "../../../src/index.ts";
import { afterCount, every, hopping, ProcessFunction, session, tumbling } from "../../../src/index.ts";
import type { Counts, Datum } from "./semantics.ts";
import { paneId } from "./semantics.ts";
import type { TimedSpec, WindowSpec } from "./spec.ts";

/** Views are looked at when all is over, however long that takes. */
const FOR_EVER = Number.MAX_SAFE_INTEGER;

export function assignerOf({ fn, size, slide }: WindowSpec): WindowAssigner<Datum> {
  if (fn === "session") return session(size);
  return fn === "hopping" ? hopping(size, slide) : tumbling(size);
}

export function windowOptionsOf({ lateness, early, discarding }: WindowSpec): WindowOptions {
  return {
    lateness,
    retention: FOR_EVER,
    ...(early === undefined
      ? {}
      : { early: "every" in early ? every(early.every) : afterCount(early.count) }),
    panes: discarding ? "discarding" : "accumulating",
  };
}

/** Which ids came, and how often. */
export const ids: Aggregator<Datum, Record<string, number>, Counts> = {
  signature: "ids@1",
  create: () => ({}),
  add: (counts, { data }) => {
    const { id = "" } = data;
    counts[id] = (counts[id] ?? 0) + 1;
    return counts;
  },
  merge: (left, right) => {
    for (const [id, n] of Object.entries(right)) left[id] = (left[id] ?? 0) + n;
    return left;
  },
  result: (counts) => Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)),
};

/** A window's result as an item. */
export function paneDatum(
  name: string,
  { key, window, value, previous, pane }: WindowResult<Counts | number>,
): Datum {
  const whole = {
    ...window,
    ...pane,
    value,
    ...(previous === undefined ? {} : { previous }),
  };
  return { id: paneId(name, key, whole), key, time: window.end - 1, pane: whole };
}

/** See TimedSpec. */
export class Alarm extends ProcessFunction<Datum, Datum> {
  readonly spec: TimedSpec;

  constructor(spec: TimedSpec) {
    super(spec.name, { shards: spec.shards, eventTime: true });
    this.spec = spec;
  }

  apply({ time, data }: Event<Datum>, _collector: Collector<Datum>, context: ProcessContext): void {
    if (time <= context.watermark) {
      context.late();
      return;
    }
    const { size, delay } = this.spec;
    const end = Math.floor(time / size) * size + size;
    context.state.list<string>(`${end}`).add(data.id ?? "");
    context.eventTimers.set(`${end}`, end - 1 + delay);
  }

  override onTimer(
    { name: id, time, domain }: Timer,
    collector: Collector<Datum>,
    { state, key, watermark }: ProcessContext,
  ): void {
    const { name, size } = this.spec;
    const last = state.value<number>("last");
    const gathered = state.list<string>(id);
    const counts: Record<string, number> = {};
    for (const one of gathered.get()) counts[one] = (counts[one] ?? 0) + 1;
    const wrong = [
      domain === "event" ? "" : "in the wrong kind of time",
      watermark >= time ? "" : "before the watermark",
      time > (last.get() ?? -1) ? "" : "after a later one",
    ];
    gathered.clear();
    last.set(time);
    const end = Number(id);
    const pane = {
      start: end - size,
      end,
      index: 0,
      timing: "on-time",
      value: Object.entries(counts),
    } as const;
    collector.emit({ id: `${wrong.join(" ").trim()}${paneId(name, key, pane)}`, key, pane });
  }
}

/** An element that `Sorted` has been given: its time, its event's id, its own. */
export type Listed = readonly [time: number, event: string, id: string];

/** See TimedSpec. */
export class Sorted extends ProcessFunction<Datum, Datum> {
  constructor({ name, shards }: TimedSpec) {
    super(name, { shards, timeSorted: true });
  }

  apply({ id, time, data }: Event<Datum>, _collector: Collector<Datum>, { state }: ProcessContext): void {
    state.list<Listed>("order").add([time, id, data.id ?? ""]);
  }
}
