/** The query app as a whole: every route its methods, parameters, keys and headers; jobs; the page. */
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { jobSchema, jobsSchema, problemSchema, viewsSchema } from "../../src/cloudflare/query/schemas.ts";
import { Deployment } from "./deployment.ts";
import { graphPlan, Knobs } from "./graph.ts";

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
  expect(shop.onError).toBe("dead-letter");
  expect(shop.operators[0]).toEqual({
    operator: "counts",
    kind: "aggregate",
    sources: ["clicks"],
    outputs: [],
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

test("a job of many stages shows each kind of operator with what only it has", async () => {
  const deployment = new Deployment(graphPlan(new Knobs()));
  const job = await deployment.get("/v1/jobs/graph", jobSchema);
  expect(job.sources).toMatchObject([
    { source: "clicks", operators: ["counts", "locate"] },
    { source: "orders", operators: ["amounts"] },
  ]);
  const byName = new Map(job.operators.map((one) => [one.operator, one]));
  expect([...byName.keys()]).toEqual([...deployment.plan.operators.keys()]);
  expect(byName.get("counts")).toMatchObject({ kind: "aggregate", outputs: ["ranks"], view: "counts" });
  expect(byName.get("ranks")).toMatchObject({ sources: ["counts"], outputs: [] });
  expect(byName.get("locate")).toEqual({
    operator: "locate",
    kind: "stage",
    sources: ["clicks"],
    outputs: ["places", "lines"],
    shards: 1,
    stage: {
      queue: "millrace-locate",
      deadLetterQueue: "millrace-locate-dead",
      concurrency: 1,
      batchSize: 10,
      maxConsumers: 2,
      retries: 0,
      highWater: 3,
    },
  });
  expect(byName.get("lines")).toEqual({
    operator: "lines",
    kind: "sink",
    sources: ["locate", "idle"],
    outputs: [],
    shards: 1,
    sink: { batchEvents: 2, batchBytes: 1_000_000, batchMs: 0, bufferBytes: 16_000_000 },
  });
  expect(byName.get("ticks")).toMatchObject({ kind: "pull", outputs: ["idle"], pull: { everyMs: 1000 } });
  expect(byName.get("idle")).toMatchObject({ kind: "process", outputs: ["lines"], view: "idle" });
  expect(job.views).toEqual(["counts", "ranks", "places", "idle", "amounts"]);

  const { views } = await deployment.get("/v1/views", viewsSchema);
  expect(views.map(({ view }) => view)).toEqual(job.views);
  expect((await deployment.request("/v1/views/locate")).status).toBe(404);
  const html = await (await deployment.request("/")).text();
  expect(html).toContain('href="/v1/views/places?top=10"');
  expect(html).not.toContain("/v1/views/locate");
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
    ...routes.map((path) => [path, path === "/v1/views/counts" ? "GET, HEAD, DELETE" : "GET, HEAD"]),
    ["/", "GET, HEAD"],
    ["/openapi.json", "GET, HEAD"],
    ["/v1/tickets/x", "GET, HEAD"],
    ["/v1/dead-letters/texts/0/1", "GET, HEAD"],
    ["/v1/views/counts/live", "GET, HEAD"],
  ])("%s answers other methods 405", async (path = "", allow = "") => {
    const others = ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"].filter((method) => !allow.includes(method));
    for (const method of others) {
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
      expect((await ask("/v1/dead-letters/texts/0/1", key)).status).toBe(403);
      expect((await ask("/v1/dead-letters", key)).status).toBe(403);
      expect((await ask("/v1/dead-letters/redrive", key, init)).status).toBe(403);
    }
    expect((await ask("/v1/dead-letters", "admin")).status).toBe(200);
    expect((await ask("/v1/dead-letters/texts/0/1", "admin")).status).toBe(404);
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

test("without a built page, a plain one says where everything is, and runs nothing", async () => {
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

test("the page of a deployment that is sent nothing does not say how to send", async () => {
  const { sources, ...plan } = graphPlan(new Knobs());
  const html = await (await new Deployment({ ...plan, sources: new Map() }).request("/")).text();
  expect(html).not.toContain("curl");
  expect(html).toContain('href="/v1/views/idle?top=10"');
});
