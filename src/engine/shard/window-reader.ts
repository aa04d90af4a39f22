/**
 * Reads of a shard's windows: a range of time, of one key, of keys with a prefix, or the top within each window. They give
 * what is committed, and change nothing.
 *
 * Windows lie in the order of their ends; where it goes on to the next one, a read seeks, so what a window holds besides is
 * not looked at.
 */
import type { WindowPlan } from "../../plan.ts";
import type { Ranked } from "../../state/top-index.ts";
import { firstByRank } from "../../state/top-index.ts";
import type { Window } from "../../windows/window.ts";
import { closingOf } from "../../windows/window.ts";
import { watermarkOf } from "./counters.ts";
import type { Shard } from "./shard.ts";
import {
  afterEnd,
  entryKey,
  parseEntryKey,
  pastEntry,
  pastWindow,
  WINDOWS_PREFIX,
  windowPrefix,
} from "./windows/window-keys.ts";

export interface WindowRange {
  /** Windows that end after it, epoch milliseconds; all by default. */
  readonly from?: number;
  /** Windows that start before it; all by default. */
  readonly to?: number;
  readonly key?: string;
  readonly prefix?: string;
  /** `place` of the last entry of the page before; of the top within windows, of any entry of its last window. */
  readonly after?: string;
  readonly limit: number;
}

export interface WindowViewEntry {
  readonly key: string;
  readonly window: Window;
  readonly value: unknown;
  /** Nothing can change it any more. */
  readonly final: boolean;
  /** Sorts as the entries do, over all shards: by the window's end, then its length, then the key. */
  readonly place: string;
}

/** At most `limit` entries in the order of their places. */
export function readWindows(shard: Shard, range: WindowRange): WindowViewEntry[] {
  const { key, prefix = "", after, limit } = range;
  const found: WindowViewEntry[] = [];
  const from = after === undefined ? undefined : windowPrefix(parseEntryKey(after).window);
  for (const window of windowsIn(shard, range, from)) {
    if (key !== undefined) {
      const place = entryKey(window, key);
      const value = after !== undefined && place <= after ? undefined : shard.state.get(place);
      if (value !== undefined) found.push(entryOf(shard, place, value));
    } else {
      const rest = after?.startsWith(windowPrefix(window)) === true ? { after } : {};
      for (const { key: place, value } of shard.state.entries({
        prefix: windowPrefix(window) + prefix,
        ...rest,
      })) {
        found.push(entryOf(shard, place, value));
        if (found.length >= limit) break;
      }
    }
    if (found.length >= limit) break;
  }
  return found;
}

/** The first `top` entries by value (descending, ties by key) of each of the first `limit` windows. Values that are no numbers are left out. */
export function readWindowTops(
  shard: Shard,
  range: WindowRange & { readonly top: number },
): WindowViewEntry[] {
  const tops: WindowViewEntry[] = [];
  let windows = 0;
  const after = range.after === undefined ? undefined : pastWindow(parseEntryKey(range.after).window);
  for (const window of windowsIn(shard, range, after)) {
    const ranked = firstByRank(rankedEntries(shard, window), range.top);
    tops.push(...ranked);
    if (ranked.length > 0 && ++windows >= range.limit) break;
  }
  return tops;
}

function* rankedEntries(shard: Shard, window: Window): IterableIterator<WindowViewEntry & Ranked> {
  for (const { key: place, value } of shard.state.entries({ prefix: windowPrefix(window) })) {
    const entry = entryOf(shard, place, value);
    if (isRanked(entry)) yield entry;
  }
}

function isRanked(entry: WindowViewEntry): entry is WindowViewEntry & Ranked {
  return typeof entry.value === "number" && Number.isFinite(entry.value);
}

/** The windows of a range in their order, each once. @param start what sorts before the first entry that is wanted. */
function* windowsIn(shard: Shard, { from, to }: WindowRange, start?: string): IterableIterator<Window> {
  let at = from === undefined ? undefined : afterEnd(from);
  if (start !== undefined && (at === undefined || start > at)) at = start;
  for (;;) {
    const [next] = shard.state.entries({
      prefix: WINDOWS_PREFIX,
      ...(at === undefined ? {} : { after: at }),
    });
    if (next === undefined) return;
    const { window } = parseEntryKey(next.key);
    if (to === undefined || window.start < to) yield window;
    // Windows of other lengths that end later may start before `to`: all are looked at.
    at = pastEntry(next.key);
  }
}

function entryOf(shard: Shard, place: string, value: unknown): WindowViewEntry {
  const { key, window } = parseEntryKey(place);
  return { key, window, value: shard.processor.result(value), final: isFinal(shard, window), place };
}

function isFinal(shard: Shard, window: Window): boolean {
  const { assigner, rules } = (shard.options.operator as WindowPlan).window;
  if (assigner.time === "processing") return shard.options.clock.now() >= window.end;
  return watermarkOf(shard.counters) >= closingOf(window, rules.lateness);
}
