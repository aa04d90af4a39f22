/** Erasures: has a key of a view forgotten (a user's right to be forgotten), and reports on it. Admin only. */
import * as v from "valibot";
import type { ErasureReport } from "../../engine/erasure/erasure.ts";
import type { Plan } from "../../plan.ts";
import { attempted } from "../attempt.ts";
import { Problem, shorten } from "../http/problem.ts";
import type { ErasuresRpc } from "../rpc.ts";
import { ERASURES_NAME } from "../rpc.ts";
import type { QueryApp, QueryContext, QueryEnv } from "./env.ts";
import { described, only, parameters, scoped } from "./routing.ts";
import { erasureSchema } from "./schemas.ts";
import { viewOf } from "./views.ts";

const RETRY_AFTER = "5";

/** Goes before the routes of views, which answer 405 to any method but their own. */
export function addErasures(app: QueryApp, context: QueryContext): void {
  app.delete(
    "/v1/views/:view",
    described("views", {
      summary: "Forget a key",
      description:
        "Takes the key out of the view, out of the dead letters of the view, out of the commit logs of its job, and its " +
        "events out of the files of the job's keyed file sinks, in the background: `links.self` says how far that is. " +
        "A key that the view has never seen is no error, since there may be traces of it elsewhere. What arrives while " +
        "it runs may be erased too; what waits in queues is counted anew when it arrives: then erase again. To repeat " +
        "it is safe. The key is kept only while it runs. Needs the scope admin.",
      answer: erasureSchema,
      status: 202,
      errors: [404],
    }),
    scoped("admin"),
    parameters({ key: v.pipe(v.string(), v.description("The key to forget.")) }),
    async (c) => {
      const { name } = viewOf(context.plan, c.req.param("view"));
      const { key } = c.req.valid("query");
      const report = await askErasures(c.env, context, (rpc) => rpc.start(name, key));
      const answer = erasureAnswer(context.plan, report);
      c.header("location", answer.links.self);
      return c.json(answer, 202);
    },
  );
  app.get(
    "/v1/erasures/:id",
    described("views", {
      summary: "What was done to forget a key",
      description: "Kept for 400 days after it was finished. Needs the scope admin.",
      answer: erasureSchema,
      errors: [404],
    }),
    scoped("admin"),
    parameters({}),
    async (c) => {
      const id = c.req.param("id");
      const report = await askErasures(c.env, context, (rpc) => rpc.report(id));
      if (report === null) throw new Problem(404, `there is no erasure ${shorten(id)}; its id is in the 202`);
      return c.json(erasureAnswer(context.plan, report));
    },
  );
  only(app, "/v1/erasures/:id", "GET");
}

function erasureAnswer(plan: Plan, report: ErasureReport): v.InferOutput<typeof erasureSchema> {
  const { id, view, status, requested, finished, state, deadLetters, log, sinks, waitingFor, error } = report;
  return {
    erasure: id,
    view,
    status,
    requested: new Date(requested).toISOString(),
    ...(finished === undefined ? {} : { finished: new Date(finished).toISOString() }),
    state: { ...state },
    deadLetters: { erased: deadLetters },
    log: { ...log },
    files: { sinks: sinks.map((one) => ({ ...one })) },
    ...(waitingFor === undefined ? {} : { waitingFor }),
    ...(error === undefined ? {} : { error }),
    notes: notesOn(plan, report),
    links: { self: `/v1/erasures/${id}`, view: `/v1/views/${view}` },
  };
}

/** What whoever asked has to know, or to do himself. */
function notesOn(plan: Plan, { view }: ErasureReport): string[] {
  const job = plan.operators.get(view)?.job;
  const sinks = [...plan.operators.values()]
    .filter((one) => one.job === job)
    .filter((one) => one.kind === "sink");
  const unkeyed = sinks.filter((one) => "bucket" in one.sink && !one.keyed).map(({ name }) => name);
  const foreign = sinks.filter((one) => !("bucket" in one.sink)).map(({ name }) => name);
  const notes = [
    "events that were still in queues are counted anew when they arrive; erase again after that",
    "what was computed from this key for other keys and views stays, as do messages that could not be read and were buried",
    "the platform can restore state to any moment of the last 30 days",
  ];
  if (unkeyed.length > 0) {
    notes.push(
      `events in the files of ${unkeyed.join(", ")} carry no key; a keyBy in front of the sink gives them one`,
    );
  }
  if (foreign.length > 0) notes.push(`what ${foreign.join(", ")} sent out is for its receivers to erase`);
  return notes;
}

/** @throws Problem 503. */
async function askErasures<T>(
  env: QueryEnv,
  { patience }: QueryContext,
  question: (erasures: ErasuresRpc) => Promise<T>,
): Promise<T> {
  const attempt = await attempted(patience, () => question(env.ERASURES.getByName(ERASURES_NAME)));
  if ("answer" in attempt) return attempt.answer;
  throw new Problem(503, `erasures: ${attempt.error}; try again`, {}, { "retry-after": RETRY_AFTER });
}
