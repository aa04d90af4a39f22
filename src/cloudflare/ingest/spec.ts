/** Spec: what the OpenAPI document says about ingest. */
import type { DescribeRouteOptions } from "hono-openapi";
import { resolver } from "hono-openapi";
import * as v from "valibot";
import { KEY_NEEDED, problemResponse, problemSchema } from "../http/openapi.ts";

const rejectionSchema = v.object({
  index: v.pipe(v.number(), v.integer(), v.minValue(0), v.description("place in the array, or line, from 0")),
  error: v.string(),
});

const acceptedSchema = v.object({
  accepted: v.pipe(v.number(), v.integer(), v.description("events that are durable in the queue")),
  rejected: v.pipe(v.array(rejectionSchema), v.maxLength(100)),
  rejectedCount: v.optional(
    v.pipe(v.number(), v.integer(), v.description("how many were rejected, when not all are listed")),
  ),
  ticket: v.pipe(v.string(), v.description("for GET /v1/tickets/{id}: what became of this request")),
});

const refusalSchema = v.object({ ...problemSchema.entries, rejected: v.optional(v.array(rejectionSchema)) });
const outcomeSchema = v.object({
  ...problemSchema.entries,
  outcome: v.optional(
    v.pipe(v.picklist(["none", "unknown"]), v.description("unknown: safe to repeat only with an identity")),
  ),
});

const overloadSchema = v.object({
  ...problemSchema.entries,
  queue: v.pipe(v.string(), v.description("the queue that is over its mark")),
  stage: v.optional(
    v.pipe(v.string(), v.description("the stage that it belongs to, when it is not the source's own")),
  ),
  backlog: v.pipe(v.number(), v.integer(), v.description("messages that wait in it")),
  limit: v.pipe(v.number(), v.integer(), v.description("its mark")),
});

const retryAfter = {
  "Retry-After": { description: "seconds", schema: { type: "integer", minimum: 1 } },
} as const;

export const ingestSpec: DescribeRouteOptions = {
  operationId: "ingest",
  summary: "Send events to a source",
  description: [
    "A 202 says that what is `accepted` is durable; `rejected` says why the rest is not.",
    "Send an `Idempotency-Key`, or number your requests with `Millrace-Producer` and `Millrace-Sequence`, and a request counts once however often it is sent.",
    "At most 2 MiB (inflated) and 10,000 events a request.",
  ].join("\n\n"),
  tags: ["ingest"],
  security: KEY_NEEDED,
  parameters: [
    { in: "path", name: "source", required: true, schema: { type: "string" } },
    {
      in: "query",
      name: "strict",
      description: "1: accept all events or none",
      schema: { type: "string", enum: ["0", "1"] },
    },
    {
      in: "header",
      name: "Idempotency-Key",
      description: "the same key and body again within 24 hours counts once",
      schema: { type: "string", minLength: 1, maxLength: 255 },
    },
    {
      in: "header",
      name: "Millrace-Producer",
      description: "with Millrace-Sequence: each number of a producer counts once",
      schema: { type: "string", minLength: 1, maxLength: 128 },
    },
    {
      in: "header",
      name: "Millrace-Sequence",
      description:
        "0, 1, 2, … An answer that lists `rejected` has used its number up; any other refusal has not.",
      schema: { type: "integer", minimum: 0 },
    },
    {
      in: "header",
      name: "Content-Encoding",
      schema: { type: "string", enum: ["gzip", "deflate", "identity"] },
    },
  ],
  requestBody: {
    required: true,
    content: {
      "application/json": { schema: { description: "one event, or an array of events" } },
      "application/x-ndjson": { schema: { type: "string", description: "one event a line" } },
      "text/plain": {
        schema: { type: "string", description: "one event a line as the source reads text, or JSON" },
      },
    },
  },
  responses: {
    202: {
      description: "What is accepted is durable in the queue.",
      content: { "application/json": { schema: resolver(acceptedSchema) } },
    },
    400: problemResponse(
      "Nothing was accepted. In a job whose failure policy is `fail`, an event that a step in front of the queue throws on is among `rejected`.",
      refusalSchema,
    ),
    401: problemResponse("No key, or an unknown one."),
    403: problemResponse("A key that may not do this."),
    404: problemResponse("No such source."),
    405: problemResponse("Wrong method; see `Allow`."),
    409: problemResponse("Millrace-Sequence is too far ahead."),
    413: problemResponse("The body, an event or a key is over its limit.", refusalSchema),
    415: problemResponse("A type or an encoding that is not taken."),
    422: problemResponse("Idempotency-Key was used with another body."),
    429: {
      ...problemResponse(
        "Too much waits in the source's queue, or in that of a stage behind it; nothing was taken.",
        overloadSchema,
      ),
      headers: retryAfter,
    },
    503: {
      ...problemResponse("The queue did not take it, or did not say.", outcomeSchema),
      headers: retryAfter,
    },
  },
};
