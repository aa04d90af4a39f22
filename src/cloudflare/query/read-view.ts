/** View reader: what a view answers: one key from its shard, or all shards asked at once and merged. */
import type * as v from "valibot";
import { parseMoment } from "../../duration.ts";
import type { Totals } from "../../engine/shard/reader.ts";
import { shardOf } from "../../hash.ts";
import type { OperatorPlan, ViewPlan, WindowPlan } from "../../plan.ts";
import type { Ranked } from "../../state/top-index.ts";
import { byRank } from "../../state/top-index.ts";
import { Problem, shorten } from "../http/problem.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { QueryContext } from "./env.ts";
import type { entriesSchema, keySchema, totalSchema, viewAnswerSchema } from "./schemas.ts";
import type { ShardsEnv } from "./shards.ts";
import { ask, askAll } from "./shards.ts";
import type { WindowQuery } from "./windows.ts";
import { checkWindowed, readWindowed } from "./windows.ts";

export const MAX_ENTRIES = 1000;
export const DEFAULT_ENTRIES = 100;
/** Entries of a page of tops within windows: each shard may have to hand over about as many. */
export const MAX_TOP_ENTRIES = 10_000;

/** The parameters of a view's address, as they came: times are texts, so that `-1h` is an hour before each look. */
export interface ViewQuery {
  readonly key?: string | undefined;
  readonly top?: number | undefined;
  readonly prefix?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly total?: "1" | undefined;
}

export type ViewAnswer = v.InferOutput<typeof viewAnswerSchema>;

/** Reads what was asked. @throws Problem 404 for a key that was never seen, 503 when a shard does not answer. */
export type Reading = (env: ShardsEnv) => Promise<ViewAnswer>;

/** How a query is read, now or again and again. @throws Problem 400 when parameters contradict each other or the view. */
export function readingOf(context: QueryContext, view: ViewPlan, query: ViewQuery): Reading {
  const { key, top, prefix, limit, cursor, total, from, to } = query;
  if (view.kind === "window") return windowReading(context, view, query);
  const times = Object.entries({ from, to }).flatMap(([name, time]) => (time === undefined ? [] : [name]));
  if (times.length > 0) {
    throw new Problem(
      400,
      `${times.join(", ")}: the view ${view.name} is not windowed; it has one value for each key`,
    );
  }
  const listing = prefix !== undefined || limit !== undefined || cursor !== undefined;
  onlyOne({ key, top, total, "prefix, limit, cursor": listing ? "" : undefined });
  if (key !== undefined) return (env) => readKey(env, context, view, key);
  if (top !== undefined) return (env) => readTop(env, context, view, top);
  if (total !== undefined) return (env) => readTotal(env, context, view);
  return pageReading(context, view, { prefix, limit, cursor });
}

function windowReading(context: QueryContext, view: WindowPlan, query: ViewQuery): Reading {
  const { key, top, prefix, limit, cursor, total, from, to } = query;
  onlyOne({ key, prefix });
  onlyOne({ top, "key, prefix": key ?? prefix });
  if (total !== undefined) {
    throw new Problem(
      400,
      `total: the view ${view.name} has a value for each window; add up what from and to give`,
    );
  }
  // Whoever reads again and again means the last hour before each look.
  const asked = (): WindowQuery => {
    const now = context.clock.now();
    const times = { from: momentOf("from", from, now), to: momentOf("to", to, now) };
    return { key, top, prefix, cursor, limit: limitOf(top, limit), ...times };
  };
  checkWindowed(asked());
  return (env) => readWindowed(env, context, view, asked());
}

/** One shard only: the key's. */
async function readKey(
  env: ShardsEnv,
  context: QueryContext,
  view: OperatorPlan,
  key: string,
): Promise<v.InferOutput<typeof keySchema>> {
  const entry = await ask(env, context, view, shardOf(key, view.shards), (shard) => shard.get(key));
  if (entry === null) {
    throw new Problem(404, `view ${view.name} has never seen the key ${JSON.stringify(shorten(key))}`);
  }
  return { view: view.name, key, value: entry.value };
}

/** The top of the tops: a key that is among the first of all is among the first of its shard. */
async function readTop(
  env: ShardsEnv,
  context: QueryContext,
  view: OperatorPlan,
  limit: number,
): Promise<v.InferOutput<typeof entriesSchema>> {
  const tops = await askAll(env, context, view, (shard) => shard.top(limit));
  const ranked = tops.flat().filter((entry): entry is Ranked => typeof entry.value === "number");
  return { view: view.name, entries: ranked.sort(byRank).slice(0, limit) };
}

async function readTotal(
  env: ShardsEnv,
  context: QueryContext,
  view: OperatorPlan,
): Promise<v.InferOutput<typeof totalSchema>> {
  const totals = await askAll(env, context, view, (shard) => shard.totals());
  const add = (of: (one: Totals) => number) => totals.reduce((sum, one) => sum + of(one), 0);
  const overflow = add((one) => one.overflow);
  return {
    view: view.name,
    keys: add((one) => one.keys),
    total: add((one) => one.total),
    ...(overflow > 0 ? { overflow } : {}),
  };
}

/** Each shard gives a page and one more, so that whatever the page ends with, nothing before it is missing. */
function pageReading(
  context: QueryContext,
  view: OperatorPlan,
  page: { prefix: string | undefined; limit: number | undefined; cursor: string | undefined },
): Reading {
  const { prefix = "", limit = DEFAULT_ENTRIES, cursor } = page;
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  if (cursor !== undefined && after?.startsWith(prefix) !== true) {
    throw new Problem(
      400,
      'cursor: not one of this listing; pass on "next" as it came, with the same prefix',
    );
  }
  const range = { prefix, limit: limit + 1, ...(after === undefined ? {} : { after }) };
  return async (env) => {
    const parts = await askAll(env, context, view, (shard) => shard.range(range));
    const merged = parts.flat().sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const entries = merged.slice(0, limit).map(({ key, value }) => ({ key, value }));
    const last = entries.at(-1);
    return {
      view: view.name,
      entries,
      ...(merged.length > limit && last !== undefined ? { next: encodeCursor(last.key) } : {}),
    };
  };
}

/** Entries of a page, or windows of which the top is wanted. @throws Problem 400 when it would be too much. */
function limitOf(top = 1, limit = Math.min(DEFAULT_ENTRIES, Math.floor(MAX_TOP_ENTRIES / top))): number {
  if (top * limit <= MAX_TOP_ENTRIES) return limit;
  throw new Problem(
    400,
    `top times limit is ${top * limit}, and may be ${MAX_TOP_ENTRIES}: ask for fewer windows at a time, limit=${Math.floor(MAX_TOP_ENTRIES / top)}, and pass on "next"`,
  );
}

/** @throws Problem 400 when it is no moment. */
function momentOf(name: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const time = parseMoment(text, now);
  if (time !== undefined) return time;
  throw new Problem(
    400,
    `${name}: ${JSON.stringify(shorten(text))} is no time; use ISO 8601 with an offset, epoch milliseconds, or a span from now like -1h`,
  );
}

/** @throws Problem 400 that names what contradicts each other. */
function onlyOne(choices: Readonly<Record<string, unknown>>): void {
  const chosen = Object.keys(choices).filter((name) => choices[name] !== undefined);
  if (chosen.length > 1) throw new Problem(400, `${chosen.join(" and ")} do not go together; choose one`);
}
