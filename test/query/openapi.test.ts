/** The OpenAPI document: every route is in it, with real parameters and answers. */
import * as v from "valibot";
import { expect, test } from "vitest";
import type { OpenApiDocument } from "../../src/cloudflare/http/openapi.ts";
import { Deployment } from "./deployment.ts";

const operationSchema = v.looseObject({
  summary: v.string(),
  security: v.tuple([
    v.object({ bearer: v.array(v.string()) }),
    v.object({ accessKey: v.array(v.string()) }),
  ]),
  parameters: v.optional(
    v.array(
      v.looseObject({
        name: v.string(),
        in: v.picklist(["query", "path"]),
        schema: v.looseObject({ type: v.string() }),
      }),
    ),
    [],
  ),
  responses: v.record(
    v.string(),
    v.looseObject({
      description: v.string(),
      content: v.record(v.string(), v.looseObject({ schema: v.looseObject({}) })),
    }),
  ),
});

async function contract(): Promise<OpenApiDocument> {
  const response = await new Deployment().request("/openapi.json");
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  return (await response.json()) as OpenApiDocument;
}

test("the contract lists every route with its answers", async () => {
  const { openapi, paths } = await contract();
  expect(openapi).toBe("3.1.0");
  expect(
    Object.entries(paths).map(([path, item]) => `${Object.keys(item as object).join()} ${path}`),
  ).toEqual([
    "get /v1/jobs",
    "get /v1/jobs/{job}",
    "delete,get /v1/views/{view}",
    "get /v1/erasures/{id}",
    "get /v1/views",
    "get /v1/views/{view}/live",
    "get /v1/tickets/{id}",
    "get /v1/dead-letters",
    "post /v1/dead-letters/redrive",
    "get /v1/dead-letters/{id}",
    "get /v1/health",
    "get /v1/health/live",
    "get /metrics",
  ]);
  for (const item of Object.values(paths)) {
    for (const operation of Object.values(item as object)) {
      const { responses } = v.parse(operationSchema, operation);
      for (const status of ["400", "401", "403", "503"]) {
        expect(Object.keys(responses[status]?.content ?? {})).toEqual(["application/problem+json"]);
      }
      for (const { schema } of Object.values(responses["200"]?.content ?? {})) expect(schema).not.toEqual({});
    }
  }
});

test("parameters are described with their types and ranges", async () => {
  const { paths } = await contract();
  const item = paths["/v1/views/{view}"] as { get: unknown };
  const { parameters } = v.parse(operationSchema, item.get);
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  expect([...byName.keys()].toSorted()).toEqual([
    ...["cursor", "from", "key", "limit", "prefix", "to", "top", "total", "view"],
  ]);
  expect(byName.get("top")).toMatchObject({
    in: "query",
    schema: { type: "integer", minimum: 1, maximum: 1000 },
  });
  expect(byName.get("top")).not.toHaveProperty("required", true);
  expect(byName.get("view")).toMatchObject({ in: "path", required: true });
});

test("every reference has its component", async () => {
  const document = await contract();
  const references = JSON.stringify(document).match(/"#\/components\/schemas\/[^"]+"/g) ?? [];
  expect(references.length).toBeGreaterThan(10);
  for (const reference of new Set(references)) {
    const name = (JSON.parse(reference) as string).replace("#/components/schemas/", "");
    expect(document.components?.schemas, name).toHaveProperty([name]);
  }
});
