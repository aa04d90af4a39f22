/** Routing: what all routes share: who may call them, which parameters they take, how they are described. */
import type { Context, MiddlewareHandler } from "hono";
import { describeRoute, resolver, validator } from "hono-openapi";
import * as v from "valibot";
import type { Scope } from "../http/keys.ts";
import { requireScope } from "../http/keys.ts";
import { KEY_NEEDED, problemResponse } from "../http/openapi.ts";
import { Problem, shorten } from "../http/problem.ts";
import type { QueryApp, QueryEnv } from "./env.ts";
import { problemSchema } from "./schemas.ts";

/** Lets a request through whose key has the scope. @throws Problem 401, 403, 503. */
export function scoped(scope: Scope): MiddlewareHandler<{ Bindings: QueryEnv }> {
  return async (context, next) => {
    await requireScope(context.req.raw, context.env, scope);
    await next();
  };
}

/** Answers 405 to all other methods of a path; goes after its routes. */
export function only(app: QueryApp, path: string, ...methods: ("DELETE" | "GET" | "POST")[]): void {
  const allow = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  app.all(path, ({ req }) => {
    throw new Problem(405, `${req.method} is not for this address, which takes ${allow}`, {}, { allow });
  });
}

/** A whole number from `min` to `max`, as a query parameter. */
export function integer(min: number, max: number, about: string) {
  const expected = `use a whole number from ${min} to ${max}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, expected),
    v.transform(Number),
    v.number(),
    v.integer(),
    v.minValue(min, expected),
    v.maxValue(max, expected),
    v.description(about),
  );
}

/** Taken everywhere, for the key; described by the security of the document, not as a parameter of each route. */
const KEY_PARAMETER = "access_key";

/**
 * The query parameters of a route, each at most once; handlers get them from `context.req.valid("query")`.
 *
 * @param explain may throw a better Problem for parameters that the route does not take.
 * @throws Problem 400 that names what is not taken, or what is wrong with each.
 */
export function parameters<Entries extends v.ObjectEntries>(
  entries: Entries,
  explain?: (unknown: readonly string[], context: Context) => void,
) {
  const schema = v.object(entries);
  const names = Object.keys(entries);
  return validator(
    "query",
    schema,
    (result, context) => {
      const given = context.req.queries();
      const unknown = Object.keys(given).filter((name) => !names.includes(name) && name !== KEY_PARAMETER);
      if (unknown.length > 0) {
        explain?.(unknown, context);
        throw new Problem(400, `${unknown.map(quoted).join(", ")}: not taken here; ${taken(names)}`);
      }
      const errors = names.flatMap((name) => {
        if ((given[name]?.length ?? 0) > 1) return [`${name}: given more than once`];
        const issue = result.success
          ? undefined
          : result.error.find(({ path }) => nameOf(path?.[0]) === name);
        if (issue === undefined) return [];
        return [given[name] === undefined ? `${name} is needed here` : `${name}: ${issue.message}`];
      });
      if (errors.length > 0) throw new Problem(400, errors.join("; "));
    },
    { options: { typeMode: "output" } },
  );
}

function nameOf(segment: PropertyKey | { readonly key: PropertyKey } | undefined): PropertyKey | undefined {
  return typeof segment === "object" ? segment.key : segment;
}

function quoted(text: string): string {
  return JSON.stringify(shorten(text));
}

function taken(names: readonly string[]): string {
  return names.length === 0 ? "there are no parameters" : `there are ${names.join(", ")}`;
}

const ERRORS = {
  400: "A parameter or the body is wrong; `detail` names it.",
  401: "It needs a key.",
  403: "This key may not do this.",
  404: "There is no such thing.",
  409: "This cannot be done as things are.",
  413: "The body is too large.",
  503: "A shard does not answer, or no keys are set; `Retry-After` says when to try again.",
} as const;

export interface Description {
  readonly summary: string;
  readonly description?: string;
  /** 200 by default. */
  readonly status?: 200 | 202;
  /** The JSON of a success, or the media type of one that is not JSON. */
  readonly answer: v.GenericSchema | string;
  readonly body?: v.GenericSchema;
  /** Beside 400, 401, 403 and 503, which any route may answer. */
  readonly errors?: readonly (keyof typeof ERRORS)[];
}

/** Puts a route into the OpenAPI document. */
export function described(
  tag: string,
  { summary, description, status: success = 200, answer, body, errors = [] }: Description,
) {
  const statuses = [400, 401, 403, ...errors, 503] as const;
  const ok =
    typeof answer === "string"
      ? { [answer]: { schema: { type: "string" as const } } }
      : { "application/json": { schema: resolver(answer) } };
  return describeRoute({
    tags: [tag],
    summary,
    security: KEY_NEEDED,
    ...(description === undefined ? {} : { description }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: resolver(body) } } } }),
    responses: {
      [success]: { description: success === 200 ? "OK" : "It has begun.", content: ok },
      ...Object.fromEntries(
        statuses.map((status) => [status, problemResponse(ERRORS[status], problemSchema)]),
      ),
    },
  });
}
