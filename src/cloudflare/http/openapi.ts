/** OpenAPI: the HTTP contract as a document, generated from the routes that keep it. */
import type { Env, Hono, Schema } from "hono";
import type { DescribeRouteOptions } from "hono-openapi";
import { generateSpecs, resolver } from "hono-openapi";
import * as v from "valibot";

export const TITLE = "Millrace";
export const VERSION = "1";

/** An OpenAPI 3.1 document, as far as it is put together here. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly paths: Readonly<Record<string, unknown>>;
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [member: string]: unknown;
}

/** What every error looks like: RFC 9457. */
export const problemSchema = v.object({
  type: v.string(),
  title: v.string(),
  status: v.pipe(v.number(), v.integer()),
  detail: v.pipe(v.string(), v.description("what is wrong, and what to do")),
});

/** For `security` of a route that needs a key. */
export const KEY_NEEDED = [{ bearer: [] }, { accessKey: [] }];

type Responses = NonNullable<DescribeRouteOptions["responses"]>;
type BodySchema = Parameters<typeof resolver>[0];

/** An entry of `responses` for a problem document. */
export function problemResponse(description: string, schema: BodySchema = problemSchema): Responses[string] {
  return { description, content: { "application/problem+json": { schema: resolver(schema) } } };
}

/** The document of an app: those of its routes that are described with `describeRoute`. */
export async function document<E extends Env, S extends Schema, P extends string>(
  app: Hono<E, S, P>,
): Promise<OpenApiDocument> {
  const specs = await generateSpecs(app, {
    documentation: {
      openapi: "3.1.0",
      info: { title: TITLE, version: VERSION, description: "Stream processing; every result is a URL." },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer" },
          accessKey: { type: "apiKey", in: "query", name: "access_key" },
        },
      },
    },
  });
  return specs as unknown as OpenApiDocument;
}

/** Both documents as one; where both define something, the first one counts. */
export function merge(first: OpenApiDocument, second: OpenApiDocument): OpenApiDocument {
  const { components: ours = {} } = first;
  const { components: theirs = {} } = second;
  const kinds = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  const components = Object.fromEntries([...kinds].map((kind) => [kind, { ...theirs[kind], ...ours[kind] }]));
  return { ...second, ...first, paths: { ...second.paths, ...first.paths }, components };
}
