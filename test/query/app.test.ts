/** The query app as a whole: every route its methods, parameters, keys and headers; jobs; the page. */
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { jobSchema, jobsSchema, problemSchema } from "../../src/cloudflare/query/schemas.ts";
import { Deployment } from "./deployment.ts";

const routes = [
  "/v1/jobs",
  "/v1/jobs/shop",
  "/v1/views",
  "/v1/views/counts",
  "/v1/dead-letters",
  "/v1/health",
  "/metrics",
];

test("jobs show their graphs and plans", async () => {
  const deployment = new Deployment();
  const { jobs } = await deployment.get("/v1/jobs", jobsSchema);
  expect(jobs.map(({ job }) => job)).toEqual(["shop", "books"]);
  const shop = await deployment.get("/v1/jobs/shop", jobSchema);
  expect(shop).toEqual(jobs[0]);
  expect(shop.sources).toEqual([
    {
      source: "clicks",
      queue: "millrace-clicks",
      deadLetterQueue: "millrace-clicks-dead",
      operators: ["counts", "texts"],
    },
  ]);
  expect(shop.operators[0]).toEqual({
    operator: "counts",
    sources: ["clicks"],
    shards: 3,
    maxKeys: 2_000_000,
    view: "counts",
  });
  expect(shop.views).toEqual(["counts", "texts"]);
  expect(shop.nodes.map(({ name, kind, inputs }) => [name, kind, inputs])).toContainEqual([
    "clicks.filter",
    "filter",
    ["clicks"],
  ]);
});

describe("every route", () => {
  const deployment = new Deployment();

  test.each(routes)("%s may not be stored, and takes HEAD", async (path) => {
    const response = await deployment.request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const head = await deployment.request(path, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
  });

  test.each(routes)("%s takes no parameter that it does not know", async (path) => {
    const response = await deployment.request(`${path}?surprise=1`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('"surprise"') });
  });

  test.each([
    ...routes.map((path) => [path, "GET, HEAD"]),
    ["/", "GET, HEAD"],
    ["/openapi.json", "GET, HEAD"],
    ["/v1/tickets/x", "GET, HEAD"],
    ["/v1/views/counts/live", "GET, HEAD"],
  ])("%s answers other methods 405", async (path = "", allow) => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await deployment.request(path, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe(allow);
      v.parse(problemSchema, await response.json());
    }
  });

  test("redriving is posted", async () => {
    const response = await deployment.request("/v1/dead-letters/redrive");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
  });

  test.each([
    "/v1",
    "/v1/nobody",
    "/v1/views/",
    "/v1/views/counts/x",
    "/v1/jobs/nobody",
    "/v2/views",
    "//",
    "/metrics/",
    "/v1/tickets/",
  ])("%s is a 404 problem", async (path) => {
    const response = await deployment.request(path);
    expect(response.status).toBe(404);
    expect(response.headers.get("cache-control")).toBe("no-store");
    v.parse(problemSchema, await response.json());
  });
});

describe("keys", () => {
  const deployment = new Deployment();
  const KEYS = JSON.stringify({ reader: ["read"], admin: ["admin"], writer: ["ingest"] });
  const ask = (path: string, key?: string, init: RequestInit = {}) =>
    deployment.request(
      path,
      { ...init, headers: key === undefined ? {} : { authorization: `Bearer ${key}` } },
      deployment.environment({ KEYS }),
    );

  test.each(routes.filter((path) => path !== "/v1/dead-letters"))("%s needs the scope read", async (path) => {
    expect((await ask(path)).status).toBe(401);
    expect((await ask(path, "nobody")).status).toBe(401);
    expect((await ask(path, "writer")).status).toBe(403);
    expect((await ask(path, "reader")).status).toBe(200);
    expect((await ask(`${path}?access_key=reader`)).status).toBe(200);
  });

  test("dead letters need the scope admin", async () => {
    const init = { method: "POST", body: '{"all":true}' };
    for (const key of ["reader", "writer"]) {
      expect((await ask("/v1/dead-letters", key)).status).toBe(403);
      expect((await ask("/v1/dead-letters/redrive", key, init)).status).toBe(403);
    }
    expect((await ask("/v1/dead-letters", "admin")).status).toBe(200);
    expect((await ask("/v1/dead-letters/redrive", "admin", init)).status).toBe(200);
  });

  test("a deployment without keys refuses, and asks no shard", async () => {
    deployment.asked.length = 0;
    const response = await deployment.request("/v1/views/counts", {}, deployment.environment({}));
    expect(response.status).toBe(503);
    expect(deployment.asked).toEqual([]);
  });

  test("the contract and the page are public", async () => {
    for (const path of ["/openapi.json", "/"]) expect((await ask(path)).status).toBe(200);
  });
});

test("the page says where everything is, and runs nothing", async () => {
  const response = await new Deployment().request("https://example.test/");
  expect(response.headers.get("content-type")).toMatch(/^text\/html/);
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  const html = await response.text();
  for (const path of ["/v1/jobs", "/v1/views", "/metrics", "/openapi.json"])
    expect(html).toContain(`href="${path}"`);
  expect(html).toContain("curl https://example.test/v1/sources/clicks");
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  expect(policy).toContain(`'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`);
});
