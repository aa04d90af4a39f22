/**
 * WindowProcessor: keeps an accumulator per key and window, fires windows when the watermark has passed their end (and
 * before and after, as triggers say), and drops them when their retention is over.
 *
 * Semantics are Flink's: a window fires when the watermark reaches its last millisecond, and an element is late for it
 * when the watermark, or the door that its segment came in by, has passed that by the allowed lateness. What
 * a window holds is its view until it is dropped, so firing moves nothing.
 */
import { MAX_TIME } from "../../../clock.ts";
import type { Pane } from "../../../operator.ts";
import type { WindowPlan } from "../../../plan.ts";
import { cover, touches } from "../../../windows/session.ts";
import type { Trigger } from "../../../windows/trigger.ts";
import { LATE } from "../../../windows/trigger.ts";
import type { Window } from "../../../windows/window.ts";
import { closingOf, lastOf, windowsOf } from "../../../windows/window.ts";
import { copyOf } from "../../accumulator.ts";
import type { PackedEvent, PackedPartial } from "../../segment.ts";
import { unpackEvent } from "../../segment.ts";
import { watermarkOf } from "../counters.ts";
import { reachedBy } from "../door.ts";
import type { DeadLetter, ShardSegment } from "../protocol.ts";
import type { Fresh, InputRecord, Processor, Scratch } from "../scratch.ts";
import type { Fold, WindowEntry } from "../windows/window-entry.ts";
import { afterFiring, folded, merged, withDue } from "../windows/window-entry.ts";
import {
  entryKey,
  indexKey,
  parseEntryKey,
  parseTimerTarget,
  timerTarget,
  windowPrefix,
} from "../windows/window-keys.ts";
import type { IndexedTimer } from "./timer-index.ts";
import { timerKey } from "./timer-index.ts";

/** The watermark, or the clock, has reached the window's last millisecond. */
const FIRE = "f";
/** Nothing may come to it any more. */
const CLOSE = "c";
/** Its retention is over. */
const DROP = "d";
/** A pane of one key is due in processing time. */
const PANE = "p";

/** Entries of a window that one commit fires or drops. */
const AT_ONCE = 2_000;

export class WindowProcessor implements Processor {
  readonly growing = false;
  readonly looksUp = true;
  readonly #operator: WindowPlan;
  readonly #isRead: boolean;
  /** What the commit at hand, `#of`, has added to windows that had fired before: it is shown once, at its end. */
  readonly #refire = new Map<string, { readonly window: Window; readonly key: string }>();
  #of: Scratch | undefined;

  constructor(operator: WindowPlan) {
    this.#operator = operator;
    this.#isRead = operator.outputs.main.length > 0;
  }

  /** What it reads depends on its windows. */
  keysOf(_fresh: readonly Fresh[]): string[] {
    return [];
  }

  apply(record: InputRecord, scratch: Scratch): "applied" | "late" {
    const { aggregate, window: spec } = this.#operator;
    const { key, partial, segment, n } = record;
    const inEventTime = spec.assigner.time === "event";
    if (this.#isCombined(partial)) {
      // The engine hands combined records to nobody but assigners that look at the time alone.
      const windows = inEventTime
        ? [windowOf(partial as PackedPartial)]
        : spec.assigner.assign(scratch.now, undefined as never);
      const value = inEventTime ? (partial as PackedPartial)[2] : partial;
      // It holds something, also where its events are accounted for by the record of another window.
      const held = Math.max(1, n);
      return this.#add(key, windows, (acc) => aggregate.merge(acc, value), held, segment, scratch);
    }
    const event = unpackEvent(partial as PackedEvent, key, true);
    const windows = windowsOf(spec.assigner, inEventTime ? event.time : scratch.now, event);
    const became = this.#add(key, windows, (acc) => aggregate.add(acc, event), 1, segment, scratch);
    if (became === "late") {
      const { id, time, data } = event;
      scratch.emit(LATE, { id, time, key, data });
    }
    return became;
  }

  remains({ key, partial }: InputRecord): Pick<DeadLetter, "record" | "event"> {
    if (this.#isCombined(partial)) return { record: { key, partial } };
    return { event: unpackEvent(partial as PackedEvent, key, true) };
  }

  /** What was routed before a deploy may be of the other sort: whether somebody reads the late events decides. */
  #isCombined(partial: unknown): boolean {
    const { combined, window } = this.#operator;
    if (window.assigner.time === "processing") return combined;
    return typeof (partial as PackedPartial | PackedEvent)[0] === "number";
  }

  /** Windows that had fired show what has been added to them. */
  finish(scratch: Scratch): void {
    if (this.#of !== scratch) return;
    for (const { window, key } of this.#refire.values()) {
      const entry = scratch.get(entryKey(window, key)) as WindowEntry | undefined;
      if (entry !== undefined && entry[1] > 0) this.#show(window, key, entry, "late", scratch);
    }
    this.#refire.clear();
    this.#of = undefined;
  }

  fire(timer: IndexedTimer, scratch: Scratch, cursor: unknown): "done" | "more" {
    scratch.deleteTimer(timerKey(timer));
    if (timer.name === PANE) {
      this.#firePane(timer, scratch);
      return "done";
    }
    const { window, key } = parseTimerTarget(timer.key);
    const { rules } = this.#operator.window;
    const visits = timer.name === DROP || (timer.name === FIRE && this.#isRead);
    const left = visits ? this.#visit(timer, window, key, scratch, cursor) : undefined;
    if (left !== undefined) {
      scratch.setTimer(timerKey(timer), left);
      return "more";
    }
    if (timer.name === CLOSE || (timer.name === FIRE && rules.lateness === 0)) {
      this.#close(window, key, scratch);
    }
    return "done";
  }

  result(value: unknown): unknown {
    return this.#operator.aggregate.result((value as WindowEntry)[0]);
  }

  /** Adds to all windows of a key that are not too late for it. */
  #add(
    key: string,
    windows: readonly Window[],
    fold: Fold,
    n: number,
    segment: ShardSegment,
    scratch: Scratch,
  ): "applied" | "late" {
    const { assigner } = this.#operator.window;
    const reached = reachedBy(this.#operator.eventTime, segment, scratch.counters);
    const targets = assigner.merging
      ? windows.map((window) => this.#mergeInto(key, window, reached, scratch))
      : windows.filter((window) => !this.#isClosed(window, reached));
    const open = targets.filter((target) => target !== undefined);
    // Nothing is changed before all of it is known to work.
    const work = open.map((target) => {
      const plain = "window" in target ? target : { window: target, gone: [], old: undefined };
      const old = plain.old ?? (scratch.get(entryKey(plain.window, key)) as WindowEntry | undefined);
      const { aggregate, window } = this.#operator;
      const entry = folded(aggregate, old, fold, n, window.rules.discarding);
      this.#mustShow(entry);
      return { ...plain, old, entry };
    });
    const { counters } = scratch;
    const born = work.filter(({ old }) => old === undefined).length;
    if (born > 0 && counters.keys + born > this.#operator.maxKeys) {
      throw new RangeError(
        `this shard has its ${this.#operator.maxKeys} keys and windows; raise maxKeys, or keep them for a shorter time`,
      );
    }
    for (const { window, gone, old, entry } of work) {
      for (const one of gone) this.#remove(one, key, scratch);
      if (gone.length > 0 || old === undefined) this.#found(window, key, scratch);
      this.#put(window, key, entry, scratch);
      this.#trigger(window, key, entry, gone.length > 0, scratch);
    }
    return windows.length > 0 && open.length === 0 ? "late" : "applied";
  }

  /**
   * The session of a key that a new window makes with those that it touches; undefined when it is too late.
   * Source: Flink's MergingWindowSet; late is judged by what comes out of the merge.
   */
  #mergeInto(key: string, added: Window, reached: number, scratch: Scratch) {
    const { aggregate } = this.#operator;
    const known = ((scratch.get(indexKey(key)) as readonly Window[] | undefined) ?? []).filter(
      (window) => !this.#isClosed(window, reached),
    );
    let window = added;
    let gone: Window[] = [];
    // What it has grown to may touch more.
    for (let grown = true; grown; ) {
      const touched = known.filter((one) => touches(one, window));
      grown = touched.length > gone.length;
      gone = touched;
      window = touched.reduce(cover, added);
    }
    if (this.#isClosed(window, reached)) return undefined;
    const entries = gone.map((one) => scratch.get(entryKey(one, key)) as WindowEntry);
    const [first, ...others] = entries;
    const old = first && others.reduce((sum, one) => merged(aggregate, sum, one), first);
    const same = gone.length === 1 && gone[0]?.start === window.start && gone[0].end === window.end;
    return { window, gone: same ? [] : gone, old };
  }

  #isClosed(window: Window, reached: number): boolean {
    const { assigner, rules } = this.#operator.window;
    return assigner.time === "event" && closingOf(window, rules.lateness) <= reached;
  }

  /** A window of a key is new: its end is to be noticed. */
  #found(window: Window, key: string, scratch: Scratch): void {
    const { assigner, rules } = this.#operator.window;
    scratch.counters.keys++;
    if (assigner.merging) {
      const others = (scratch.get(indexKey(key)) as readonly Window[] | undefined) ?? [];
      scratch.put(indexKey(key), [...others, { start: window.start, end: window.end }]);
    }
    // One that has fired shows what comes late by its trigger.
    const fired = this.#hasFired(window, scratch);
    for (const timer of endsOf(window, assigner.merging ? key : undefined, assigner.time, rules.lateness)) {
      if (!fired || timer.name !== FIRE) scratch.setTimer(timerKey(timer));
    }
  }

  /** A window of a key has become part of another one. */
  #remove(window: Window, key: string, scratch: Scratch): void {
    const { assigner, rules } = this.#operator.window;
    const place = entryKey(window, key);
    const due = (scratch.get(place) as WindowEntry | undefined)?.[5];
    if (due !== undefined) scratch.deleteTimer(timerKey({ name: PANE, time: due, key: place }));
    scratch.put(place, null);
    scratch.counters.keys--;
    this.#unlist(window, key, scratch);
    for (const timer of endsOf(window, key, assigner.time, rules.lateness)) {
      scratch.deleteTimer(timerKey(timer));
    }
  }

  #unlist(window: Window, key: string, scratch: Scratch): void {
    const windows = (scratch.get(indexKey(key)) as readonly Window[] | undefined) ?? [];
    const others = windows.filter(({ start, end }) => start !== window.start || end !== window.end);
    if (others.length < windows.length) scratch.put(indexKey(key), others.length === 0 ? null : others);
  }

  #put(window: Window, key: string, entry: WindowEntry, scratch: Scratch): void {
    scratch.put(entryKey(window, key), entry);
  }

  /** @throws what `result` throws: in a timer it would stop the shard, of an event it makes a dead letter. */
  #mustShow([accumulator, , , part = null]: WindowEntry): void {
    const { aggregate } = this.#operator;
    aggregate.result(copyOf(accumulator));
    if (part !== null) aggregate.result(copyOf(part));
  }

  /** Whether what was added is to be shown now, later, or at the end of the commit. @param moved it is in another session now. */
  #trigger(window: Window, key: string, entry: WindowEntry, moved: boolean, scratch: Scratch): void {
    if (!this.#isRead) return;
    const { rules } = this.#operator.window;
    const timing = this.#hasFired(window, scratch) ? "late" : "early";
    const trigger: Trigger | undefined = timing === "late" ? rules.late : rules.early;
    if (trigger === undefined) {
      if (timing === "late") this.#later(window, key, scratch);
    } else if (trigger.kind === "count") {
      if (entry[1] >= trigger.n) this.#show(window, key, entry, timing, scratch);
    } else {
      const [, , , , , due] = entry;
      if (due !== undefined && !moved) return;
      const time = due ?? scratch.now + trigger.ms;
      this.#put(window, key, withDue(entry, time), scratch);
      scratch.setTimer(timerKey({ name: PANE, time, key: entryKey(window, key) }));
    }
  }

  #later(window: Window, key: string, scratch: Scratch): void {
    if (this.#of !== scratch) this.#refire.clear();
    this.#of = scratch;
    this.#refire.set(entryKey(window, key), { window, key });
  }

  #firePane({ key: place, time }: IndexedTimer, scratch: Scratch): void {
    const entry = scratch.get(place) as WindowEntry | undefined;
    // It may have been shown since.
    if (entry?.[5] !== time) return;
    const { window, key } = parseEntryKey(place);
    this.#show(window, key, entry, this.#hasFired(window, scratch) ? "late" : "early", scratch);
  }

  #hasFired(window: Window, scratch: Scratch): boolean {
    if (this.#operator.window.assigner.time === "processing") return false;
    return lastOf(window) <= watermarkOf(scratch.counters);
  }

  /** Emits a pane. */
  #show(window: Window, key: string, entry: WindowEntry, timing: Pane["timing"], scratch: Scratch): void {
    const { aggregate, window: spec } = this.#operator;
    const [accumulator, , panes, part = null, fired] = entry;
    const { discarding, early, lateness } = spec.rules;
    // A pane without an event has nothing to show.
    if (discarding && part === null) return;
    const value = aggregate.result(copyOf(discarding ? part : accumulator));
    const data = {
      key,
      window: { start: window.start, end: window.end },
      value,
      ...(discarding || panes === 0 || fired === undefined ? {} : { previous: fired }),
      pane: { index: panes, timing },
    };
    scratch.emit(undefined, { id: scratch.outputId(), time: lastOf(window), data });
    const again = early !== undefined || lateness > 0;
    if (!again) return;
    this.#put(window, key, afterFiring(entry, discarding ? undefined : value), scratch);
  }

  /** One pass over a window, or the part of it that one commit may do. @returns the last key that was done, if there are more. */
  #visit(
    { name }: IndexedTimer,
    window: Window,
    only: string | undefined,
    scratch: Scratch,
    cursor: unknown,
  ): string | undefined {
    const visit = (key: string, entry: WindowEntry) => {
      if (name === FIRE) {
        this.#show(window, key, entry, "on-time", scratch);
        return;
      }
      scratch.put(entryKey(window, key), null);
      scratch.counters.keys--;
    };
    if (only !== undefined) {
      const entry = scratch.get(entryKey(window, only)) as WindowEntry | undefined;
      if (entry !== undefined) visit(only, entry);
      return undefined;
    }
    const after = typeof cursor === "string" ? { after: cursor } : {};
    let visited = 0;
    let last: string | undefined;
    for (const { key: place, value } of scratch.range({ prefix: windowPrefix(window), ...after })) {
      if (visited++ === AT_ONCE) return last;
      last = place;
      visit(parseEntryKey(place).key, value as WindowEntry);
    }
    return undefined;
  }

  /** Nothing comes to it any more; the view keeps it for a while. */
  #close(window: Window, key: string | undefined, scratch: Scratch): void {
    const { retention } = this.#operator.window.rules;
    if (key !== undefined) this.#unlist(window, key, scratch);
    const time = Math.min(scratch.now + retention, MAX_TIME);
    scratch.setTimer(timerKey({ name: DROP, time, key: timerTarget(window, key) }));
  }
}

function windowOf([end, length]: PackedPartial): Window {
  return { start: end - length, end };
}

/** The timers of a window's end, and of the end of its lateness where that is later. */
function endsOf(
  window: Window,
  key: string | undefined,
  time: "event" | "processing",
  lateness: number,
): IndexedTimer[] {
  const target = timerTarget(window, key);
  // In processing time its last millisecond must be over: an event of this very moment may still come.
  if (time === "processing") return [{ name: FIRE, time: Math.min(window.end, MAX_TIME), key: target }];
  const last = Math.min(lastOf(window), MAX_TIME);
  const fire: IndexedTimer = { name: FIRE, time: last, key: target, domain: "event" };
  if (lateness === 0) return [fire];
  return [fire, { name: CLOSE, time: closingOf(window, lateness), key: target, domain: "event" }];
}
