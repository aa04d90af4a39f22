/**
 * The synchronous endpoint: `POST /article/synchronous`, whose request waits for the work to be done.
 *
 * It exists for the page that tells the article: the same visits go through it and through the stream, side by side.
 */
import * as v from "valibot";
import { attempted } from "../../src/cloudflare/attempt.ts";
import { Problem } from "../../src/cloudflare/http/problem.ts";
import { readBody } from "../../src/cloudflare/ingest/body.ts";
import type { QueryApp } from "../../src/cloudflare/query/env.ts";
import { described, only, parameters, scoped } from "../../src/cloudflare/query/routing.ts";
import type { Namespace } from "../../src/cloudflare/rpc.ts";
import type { SynchronousRpc, Visited } from "./synchronous-counter.ts";
import { MAX_AHEAD_MS } from "./synchronous-counter.ts";

const PATH = "/article/synchronous";
/** All visits go to one object, as the article's go to one backend. */
const OBJECT_NAME = "synchronous";
const MAX_BODY_BYTES = 4096;
const MAX_URL_BYTES = 2048;
const MAX_WORK_MS = 500;
/** Longer than any visit that was taken can wait for its turn. */
const PATIENCE_MS = MAX_AHEAD_MS + 10_000;
const EXPECTED = `send {"url": "/home"}, with "workMs" from 0 to ${MAX_WORK_MS} if wanted`;

const visitSchema = v.strictObject({
  url: v.pipe(
    v.string("not a text"),
    v.nonEmpty("empty; send the page's URL"),
    v.check((url) => url.isWellFormed(), "not well-formed Unicode"),
    v.maxBytes(MAX_URL_BYTES, `longer than ${MAX_URL_BYTES} bytes`),
  ),
  workMs: v.optional(
    v.pipe(
      v.number("not a number"),
      v.integer("not a whole number"),
      v.minValue(0, "below 0"),
      v.maxValue(MAX_WORK_MS, `above ${MAX_WORK_MS}`),
      v.description(
        "What the backend has to do for each visit: a wait of so many milliseconds, in its turn.",
      ),
    ),
    0,
  ),
});

const visitedSchema = v.pipe(
  v.strictObject({
    url: v.string(),
    count: v.pipe(v.number(), v.description("Visits of this URL, this one among them.")),
    waitedMs: v.pipe(
      v.number(),
      v.description("Spent in the object: waiting for the visits before this one, and working."),
    ),
  }),
  v.metadata({ ref: "SynchronousVisit" }),
);

/** Adds the route to the query Worker's app. @param objects where the Worker has its object bound. */
export function addSynchronous(app: QueryApp, objects: (env: unknown) => Namespace<SynchronousRpc>): void {
  app.post(
    PATH,
    described("article", {
      summary: "Count a visit while the visitor waits",
      description:
        "The article's backend before there is a stream, to be measured beside it. One object works on one visit after " +
        "the other; 429 with `Retry-After` when too much work waits. No view shows what it counts, and a repeated " +
        "request counts again: to count for real, use `POST /v1/sources/{source}`. Needs the scope ingest.",
      body: visitSchema,
      answer: visitedSchema,
      errors: [413],
    }),
    scoped("ingest"),
    parameters({}),
    async (c) => {
      const { url, workMs } = await readVisit(c.req.raw);
      const { count, waitedMs } = await visit(objects(c.env), url, workMs);
      return c.json({ url, count, waitedMs });
    },
  );
  only(app, PATH, "POST");
}

/** @throws Problem 400, 413, 415. */
async function readVisit(request: Request): Promise<v.InferOutput<typeof visitSchema>> {
  const { bytes } = await readBody(request);
  if (bytes.length > MAX_BODY_BYTES) {
    throw new Problem(413, `the body is over ${MAX_BODY_BYTES} bytes; ${EXPECTED}`);
  }
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    throw new Problem(400, `the body is not JSON; ${EXPECTED}`);
  }
  const parsed = v.safeParse(visitSchema, body);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Problem(400, `${v.getDotPath(issue) ?? "the body"}: ${issue.message}; ${EXPECTED}`);
}

/** @throws Problem 429 when too much waits, 503 when the object fails. */
async function visit(objects: Namespace<SynchronousRpc>, url: string, workMs: number): Promise<Visited> {
  const object = objects.getByName(OBJECT_NAME);
  const attempt = await attempted(PATIENCE_MS, () => object.visit(url, workMs));
  if ("error" in attempt) {
    console.error("the synchronous backend failed:", attempt.error);
    throw new Problem(
      503,
      "the synchronous backend failed; whether the visit was counted is not known",
      {},
      { "retry-after": "1" },
    );
  }
  const { answer } = attempt;
  if (!("full" in answer)) return answer;
  const seconds = Math.ceil(answer.aheadMs / 1000);
  throw new Problem(
    429,
    `${seconds} s of work wait already, one visit after the other; try again later`,
    {},
    { "retry-after": String(seconds) },
  );
}
