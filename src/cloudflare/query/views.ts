/** Views: the routes that read the state of stateful operators, once or live. */
import type { Context } from "hono";
import * as v from "valibot";
import type { Plan, ViewPlan, WindowPlan } from "../../plan.ts";
import { viewsOf } from "../../plan.ts";
import { Problem, shorten } from "../http/problem.ts";
import { feedName } from "../rpc.ts";
import type { QueryApp, QueryContext } from "./env.ts";
import { HOW_LIVE, watchFeed } from "./live.ts";
import { DEFAULT_ENTRIES, MAX_ENTRIES, MAX_TOP_ENTRIES, readingOf } from "./read-view.ts";
import { described, integer, only, parameters, scoped } from "./routing.ts";
import { viewAnswerSchema, type viewSchema, viewsSchema } from "./schemas.ts";

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

/** A live view has no pages. */
const { cursor: _, ...LIVE_ENTRIES } = ENTRIES;

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
      return c.json(await readingOf(context, view, c.req.valid("query"))(c.env));
    },
  );
  app.get(
    "/v1/views/:view/live",
    described("views", {
      summary: "A view, live",
      description:
        "`snapshot` with the entries (or the total) that the view's own address would give for the same parameters, then, " +
        "at most four times a second, `change` with those that are new or have changed, and in `gone` those that are there " +
        "no more. All who watch a view cost its shards what one does. Who connects again begins with a snapshot, and a " +
        `snapshot may come at any time: it replaces all before it. ${HOW_LIVE}`,
      answer: "text/event-stream",
      errors: [404],
    }),
    scoped("read"),
    parameters(LIVE_ENTRIES),
    (c) => {
      const view = viewOf(plan, c.req.param("view"));
      const query = c.req.valid("query");
      // What is asked wrongly is answered, not streamed.
      readingOf(context, view, query);
      return watchFeed(c, feedName(plan.generation, view.name), query);
    },
  );
  only(app, "/v1/views", "GET");
  only(app, "/v1/views/:view", "GET", "DELETE");
  only(app, "/v1/views/:view/live", "GET");
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
