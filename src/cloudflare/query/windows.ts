/** Windows: reads the views of windowed aggregates by time: all shards asked at once and merged, or the one of a key. */
import type * as v from "valibot";
import type { WindowRange, WindowViewEntry } from "../../engine/shard/window-reader.ts";
import { shardOf } from "../../hash.ts";
import type { WindowPlan } from "../../plan.ts";
import { Problem } from "../http/problem.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { QueryContext } from "./env.ts";
import type { windowsSchema } from "./schemas.ts";
import type { ShardsEnv } from "./shards.ts";
import { ask, askAll } from "./shards.ts";

export interface WindowQuery {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly key: string | undefined;
  readonly prefix: string | undefined;
  readonly top: number | undefined;
  /** Entries of a page, or windows, of which the top is wanted. */
  readonly limit: number;
  readonly cursor: string | undefined;
}

type Answer = v.InferOutput<typeof windowsSchema>;

/** @throws Problem 400 when the times or the cursor are none. */
export function checkWindowed({ from, to, cursor }: WindowQuery): void {
  if (from !== undefined && to !== undefined && from >= to) throw new Problem(400, "from must be before to");
  if (cursor !== undefined) placeOf(cursor);
}

/** @throws Problem like `checkWindowed`, 503 when a shard does not answer. */
export async function readWindowed(
  env: ShardsEnv,
  context: QueryContext,
  view: WindowPlan,
  query: WindowQuery,
): Promise<Answer> {
  const { from, to, key, prefix, top, limit, cursor } = query;
  checkWindowed(query);
  const after = cursor === undefined ? undefined : placeOf(cursor);
  const range: WindowRange = {
    limit: limit + 1,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(key === undefined ? {} : { key }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(after === undefined ? {} : { after }),
  };
  if (top !== undefined) return topsOf(env, context, view, { ...range, top }, limit);
  const parts =
    key === undefined
      ? await askAll(env, context, view, (shard) => shard.windows(range))
      : [await ask(env, context, view, shardOf(key, view.shards), (shard) => shard.windows(range))];
  const merged = parts.flat().sort(byPlace);
  const page = merged.slice(0, limit);
  return answerOf(view, page, merged.length > limit ? page.at(-1)?.place : undefined);
}

/** A key that is among the first of a window is among the first of its shard. */
async function topsOf(
  env: ShardsEnv,
  context: QueryContext,
  view: WindowPlan,
  range: WindowRange & { readonly top: number },
  limit: number,
): Promise<Answer> {
  const parts = await askAll(env, context, view, (shard) => shard.windowTops(range));
  const windows = new Map<string, WindowViewEntry[]>();
  for (const entry of parts.flat().sort(byPlace)) {
    const id = `${entry.window.start}/${entry.window.end}`;
    const list = windows.get(id) ?? [];
    windows.set(id, list);
    list.push(entry);
  }
  const pages = [...windows.values()].map((entries) => ({
    // Any place in a window tells which it is.
    place: entries[0]?.place,
    entries: entries.sort(byValue).slice(0, range.top),
  }));
  const page = pages.slice(0, limit);
  return answerOf(
    view,
    page.flatMap(({ entries }) => entries),
    pages.length > limit ? page.at(-1)?.place : undefined,
  );
}

function answerOf(
  { name }: WindowPlan,
  entries: readonly WindowViewEntry[],
  next: string | undefined,
): Answer {
  return {
    view: name,
    entries: entries.map(({ key, window, value, final }) => ({
      key,
      window: { start: iso(window.start), end: iso(window.end) },
      value,
      final,
    })),
    ...(next === undefined ? {} : { next: encodeCursor(next) }),
  };
}

function placeOf(cursor: string): string {
  const place = decodeCursor(cursor);
  if (place !== undefined && /^w\d{32}\0/.test(place)) return place;
  throw new Problem(
    400,
    'cursor: not one of this listing; pass on "next" as it came, with the same parameters',
  );
}

function byPlace(a: WindowViewEntry, b: WindowViewEntry): number {
  return a.place < b.place ? -1 : a.place > b.place ? 1 : 0;
}

function byValue(a: WindowViewEntry, b: WindowViewEntry): number {
  return (b.value as number) - (a.value as number) || byPlace(a, b);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
