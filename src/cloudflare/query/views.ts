/** Views: reads the state of stateful operators: one key from its shard, or all shards asked at once and merged. */
import type { Context } from "hono";
import * as v from "valibot";
import { parseMoment } from "../../duration.ts";
import type { Totals } from "../../engine/shard/reader.ts";
import { shardOf } from "../../hash.ts";
import type { OperatorPlan, Plan, ViewPlan, WindowPlan } from "../../plan.ts";
import { viewsOf } from "../../plan.ts";
import type { Ranked } from "../../state/top-index.ts";
import { byRank } from "../../state/top-index.ts";
import { Problem, shorten } from "../http/problem.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { QueryApp, QueryContext, QueryEnv } from "./env.ts";
import type { LiveEntry } from "./live.ts";
import { liveEvents } from "./live.ts";
import { described, integer, only, parameters, scoped } from "./routing.ts";
import type { entriesSchema, keySchema, totalSchema } from "./schemas.ts";
import { viewAnswerSchema, type viewSchema, viewsSchema } from "./schemas.ts";
import { ask, askAll } from "./shards.ts";
import { readWindowed } from "./windows.ts";

const MAX_ENTRIES = 1000;
const DEFAULT_ENTRIES = 100;
/** Entries of a page of tops within windows: each shard may have to hand over about as many. */
const MAX_TOP_ENTRIES = 10_000;

const LIVE = ["live"];

const ENTRIES = {
  key: v.optional(v.pipe(v.string(), v.description("The value of this key."))),
  top: v.optional(integer(1, MAX_ENTRIES, "So many keys by value, descending, ties by key.")),
  prefix: v.optional(v.pipe(v.string(), v.description("The keys that start with it, in their order."))),
  limit: v.optional(integer(1, MAX_ENTRIES, `Entries of a page, ${DEFAULT_ENTRIES} by default.`)),
  cursor: v.optional(v.pipe(v.string(), v.description("`next` of the page before."))),
  from: v.optional(moment("Of a view of windows: those that end after it; all that are kept, by default.")),
  to: v.optional(moment("Of a view of windows: those that start before it.")),
  total: v.optional(
    v.pipe(v.picklist(["1"], "use total=1"), v.description("The number of keys and the sum.")),
  ),
};

/** A live view has no pages, and shows entries. */
const { cursor: _, total: __, ...LIVE_ENTRIES } = ENTRIES;

export function addViews(app: QueryApp, context: QueryContext): void {
  const { plan } = context;
  app.get(
    "/v1/views",
    described("views", { summary: "All views", answer: viewsSchema }),
    scoped("read"),
    parameters({}),
    (c) => c.json({ views: viewsOf(plan).map(viewAnswer) }),
  );
  app.get(
    "/v1/views/:view",
    described("views", {
      summary: "A view: one key, the top, the total, or a page of its entries",
      description:
        "Give one of `key`, `top` and `total`; else it lists the keys with `prefix` (all without), `limit` at a time. " +
        "Keys are ordered by their UTF-16 code units. Over the pages of a view that does not change, every key comes " +
        "exactly once. Reads give what is committed. A view of windows is read by time: those that end after `from` and " +
        "start before `to`, all that are kept by default, with or without `key` or `prefix`, in the order of the windows' " +
        "ends, then of their lengths (the shorter one first), then of keys; a key that was never seen, or a time without " +
        "windows, is an empty list. With `top`, it gives the first of each window, `limit` windows at a time: `top` times " +
        `\`limit\` is ${MAX_TOP_ENTRIES} at most, and \`limit\` so many by default, or ${DEFAULT_ENTRIES}.`,
      answer: viewAnswerSchema,
      errors: [404],
    }),
    scoped("read"),
    parameters(ENTRIES, (unknown, c) => explainLive(plan, unknown, c)),
    async (c) => {
      const view = viewOf(plan, c.req.param("view"));
      return c.json(await answerOf(c.env, context, view, c.req.valid("query")));
    },
  );
  app.get(
    "/v1/views/:view/live",
    described("views", {
      summary: "A view, live: server-sent events",
      description:
        "An event `snapshot` with the entries that the view's own address would give for the same parameters, then, at " +
        "most once a second, `change` with those that are new or have changed, and in `gone` those that are there no more. " +
        "`problem` says that the view cannot be read at the moment. Who connects again begins with a snapshot.",
      answer: "text/event-stream",
      errors: [404],
    }),
    scoped("read"),
    parameters(LIVE_ENTRIES),
    async (c) => {
      const view = viewOf(plan, c.req.param("view"));
      if (c.req.header("upgrade")?.toLowerCase() === "websocket")
        throw new Problem(400, "there are no WebSockets here yet; ask with Accept: text/event-stream");
      const query = c.req.valid("query");
      const read = () => entriesOf(c.env, context, view, query);
      // What is asked wrongly is answered, not streamed.
      return liveEvents({ view: view.name, first: await read(), read, every: context.liveEvery });
    },
  );
  only(app, "/v1/views", "GET");
  only(app, "/v1/views/:view", "GET", "DELETE");
  only(app, "/v1/views/:view/live", "GET");
}

type ViewQuery = {
  readonly [Name in keyof typeof ENTRIES]?: v.InferOutput<(typeof ENTRIES)[Name]>;
};

/** @throws Problem 400 when parameters contradict each other or the view, 404 for a key that was never seen. */
async function answerOf(
  env: QueryEnv,
  context: QueryContext,
  view: ViewPlan,
  { key, top, prefix, limit, cursor, total, from, to }: ViewQuery,
): Promise<v.InferOutput<typeof viewAnswerSchema>> {
  if (view.kind === "window") {
    onlyOne({ key, prefix });
    onlyOne({ top, "key, prefix": key ?? prefix });
    if (total !== undefined) {
      throw new Problem(
        400,
        `total: the view ${view.name} has a value for each window; add up what from and to give`,
      );
    }
    const now = context.clock.now();
    const query = { key, top, prefix, cursor, limit: limitOf(top, limit) };
    const times = { from: momentOf("from", from, now), to: momentOf("to", to, now) };
    return readWindowed(env, context, view, { ...query, ...times });
  }
  const times = Object.entries({ from, to }).flatMap(([name, time]) => (time === undefined ? [] : [name]));
  if (times.length > 0) {
    throw new Problem(
      400,
      `${times.join(", ")}: the view ${view.name} is not windowed; it has one value for each key`,
    );
  }
  const listing = prefix !== undefined || limit !== undefined || cursor !== undefined;
  onlyOne({ key, top, total, "prefix, limit, cursor": listing ? "" : undefined });
  if (key !== undefined) return readKey(env, context, view, key);
  if (top !== undefined) return readTop(env, context, view, top);
  if (total !== undefined) return readTotal(env, context, view);
  return readPage(env, context, view, { prefix, limit, cursor });
}

/** The same as entries: none for a key that has no value yet. @throws Problem as `answerOf` does, but for that. */
async function entriesOf(
  env: QueryEnv,
  context: QueryContext,
  view: ViewPlan,
  query: ViewQuery,
): Promise<readonly LiveEntry[]> {
  try {
    const answer = await answerOf(env, context, view, query);
    if ("entries" in answer) return answer.entries;
    return "key" in answer ? [answer] : [];
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return [];
    throw error;
  }
}

/** One shard only: the key's. */
async function readKey(
  env: QueryEnv,
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
  env: QueryEnv,
  context: QueryContext,
  view: OperatorPlan,
  limit: number,
): Promise<v.InferOutput<typeof entriesSchema>> {
  const tops = await askAll(env, context, view, (shard) => shard.top(limit));
  const ranked = tops.flat().filter((entry): entry is Ranked => typeof entry.value === "number");
  return { view: view.name, entries: ranked.sort(byRank).slice(0, limit) };
}

async function readTotal(
  env: QueryEnv,
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
async function readPage(
  env: QueryEnv,
  context: QueryContext,
  view: OperatorPlan,
  page: { prefix: string | undefined; limit: number | undefined; cursor: string | undefined },
): Promise<v.InferOutput<typeof entriesSchema>> {
  const { prefix = "", limit = DEFAULT_ENTRIES, cursor } = page;
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  if (cursor !== undefined && after?.startsWith(prefix) !== true) {
    throw new Problem(
      400,
      'cursor: not one of this listing; pass on "next" as it came, with the same prefix',
    );
  }
  const range = { prefix, limit: limit + 1, ...(after === undefined ? {} : { after }) };
  const parts = await askAll(env, context, view, (shard) => shard.range(range));
  const merged = parts.flat().sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const entries = merged.slice(0, limit).map(({ key, value }) => ({ key, value }));
  const last = entries.at(-1);
  return {
    view: view.name,
    entries,
    ...(merged.length > limit && last !== undefined ? { next: encodeCursor(last.key) } : {}),
  };
}

function viewAnswer(operator: ViewPlan): v.InferOutput<typeof viewSchema> {
  const { name, job, shards } = operator;
  const self = `/v1/views/${name}`;
  return {
    view: name,
    kind: operator.kind === "window" ? "windowed" : "keyed",
    job,
    shards,
    // An aggregate promises numbers only where it promises that they grow.
    numeric: operator.kind === "aggregate" && operator.aggregate.growing ? true : null,
    ...(operator.kind === "window" ? { window: windowAnswer(operator) } : {}),
    links: {
      self,
      top: `${self}?top=10`,
      ...(operator.kind === "window" ? {} : { total: `${self}?total=1` }),
      job: `/v1/jobs/${job}`,
    },
  };
}

function windowAnswer({ window: { assigner, rules } }: WindowPlan) {
  return {
    windows: assigner.signature,
    time: assigner.time,
    latenessMs: rules.lateness,
    retentionMs: rules.retention,
  };
}

function moment(description: string) {
  return v.pipe(
    v.string(),
    v.description(
      `${description} ISO 8601 with an offset, epoch milliseconds, or a span from now like \`-1h\`.`,
    ),
  );
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

/** @throws Problem 404 that names the views that there are. */
export function viewOf(plan: Plan, name: string): ViewPlan {
  const views = viewsOf(plan);
  const view = views.find((candidate) => candidate.name === name);
  if (view !== undefined) return view;
  const names = views.map((candidate) => candidate.name).join(", ");
  throw new Problem(
    404,
    `no view "${shorten(name)}"; ${names === "" ? "there are none" : `there are: ${names}`}`,
  );
}

function explainLive(plan: Plan, unknown: readonly string[], context: Context): void {
  if (!unknown.some((name) => LIVE.includes(name))) return;
  const { name } = viewOf(plan, context.req.param("view") ?? "");
  throw new Problem(400, `live: is a path, /v1/views/${name}/live, and no parameter`);
}

/** @throws Problem 400 that names what contradicts each other. */
function onlyOne(choices: Readonly<Record<string, unknown>>): void {
  const chosen = Object.keys(choices).filter((name) => choices[name] !== undefined);
  if (chosen.length > 1) throw new Problem(400, `${chosen.join(" and ")} do not go together; choose one`);
}
