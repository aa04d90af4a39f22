/** The synchronous backend in workerd: it answers when its work is done, one visit after the other, within its bounds. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { queryApp } from "../../src/cloudflare/query/app.ts";
import type { QueryEnv as QueryBindings } from "../../src/cloudflare/query/env.ts";
import type { Namespace } from "../../src/cloudflare/rpc.ts";
import type { SynchronousRpc } from "../../workers/article/synchronous-counter.ts";
import { MAX_AHEAD_MS, MAX_URLS } from "../../workers/article/synchronous-counter.ts";
import { addSynchronous } from "../../workers/article/synchronous-route.ts";
import { plan } from "../../workers/jobs/index.ts";

const objects = (env as unknown as OperatorEnv).SYNCHRONOUS as unknown as Namespace<
  SynchronousRpc & DurableObjectStub
>;
const app = queryApp({ plan });
addSynchronous(app, () => objects);
const KEYS = JSON.stringify({ writer: ["ingest"], reader: ["read"] });

function request(init: RequestInit, vars: object = { OPEN: "yes" }, query = ""): Promise<Response> {
  const bindings = vars as unknown as QueryBindings;
  return Promise.resolve(app.request(`/article/synchronous${query}`, init, bindings));
}

async function visit(body: unknown): Promise<{ status: number; body: unknown }> {
  const answer = await request({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

async function problemOf(answer: Response): Promise<{ status: number; detail: string }> {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const { status, detail } = (await answer.json()) as { status: number; detail: string };
  expect(status).toBe(answer.status);
  return { status, detail };
}

// What is logged on purpose would only clutter the report.
beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

describe("the object", () => {
  it("counts each URL, and again when a visit is repeated", async () => {
    const counter = objects.getByName("counts");
    const visits = ["/a", "/b", "/a", "/a"].map((url) => counter.visit(url, 0));
    expect(await Promise.all(visits)).toMatchObject([{ count: 1 }, { count: 1 }, { count: 2 }, { count: 3 }]);
  });

  it("works on one visit after the other: who comes later waits for all before him", async () => {
    const counter = objects.getByName("turns");
    const order: number[] = [];
    const visits = await Promise.all(
      [0, 1, 2, 3].map(async (n) => {
        const visited = await counter.visit("/a", 20);
        order.push(n);
        return visited;
      }),
    );
    expect(order).toEqual([0, 1, 2, 3]);
    const waited = visits.map((visited) => ("full" in visited ? Number.NaN : visited.waitedMs));
    // The work of n+1 visits at the least; workerd's clock is exact to a millisecond or so.
    for (const [n, ms] of waited.entries()) expect(ms).toBeGreaterThanOrEqual((n + 1) * 18);
    expect(visits.map((visited) => "count" in visited && visited.count)).toEqual([1, 2, 3, 4]);
  });

  it("takes no more than it can work on in time, and goes on once there is room", async () => {
    const counter = objects.getByName("full");
    const under = counter.visit("/a", 200);
    expect(await counter.visit("/b", MAX_AHEAD_MS)).toEqual({ full: true, aheadMs: 200 });
    expect(await under).toMatchObject({ count: 1 });
    expect(await counter.visit("/b", 1)).toMatchObject({ count: 1 });
  });

  it("remembers only so many URLs, the latest among them", async () => {
    const counter = objects.getByName("many");
    await runInDurableObject(counter, async (instance) => {
      const here = instance as unknown as SynchronousRpc;
      for (let n = 0; n < MAX_URLS + 50; n++) await here.visit(`/${n}`, 0);
    });
    expect(await counter.visit(`/${MAX_URLS + 49}`, 0)).toMatchObject({ count: 2 });
    const rows = await runInDurableObject(
      counter,
      (_instance, { storage: { sql } }) =>
        sql.exec<{ rows: number }>("SELECT COUNT(*) AS rows FROM visit").one().rows,
    );
    expect(rows).toBe(MAX_URLS);
  });
});

describe("POST /article/synchronous", () => {
  it("answers with the count, when the work is done", async () => {
    const first = await visit({ url: "/home", workMs: 20 });
    expect(first).toEqual({ status: 200, body: { url: "/home", count: 1, waitedMs: expect.any(Number) } });
    expect((first.body as { waitedMs: number }).waitedMs).toBeGreaterThanOrEqual(18);
    expect(await visit({ url: "/home" })).toMatchObject({ status: 200, body: { count: 2 } });
    const hostile = '<img src=x onerror="alert(1)">\u202e';
    expect(await visit({ url: hostile })).toMatchObject({ status: 200, body: { url: hostile, count: 1 } });
  });

  it.each([
    [{}, /^url: /],
    [{ url: 3 }, /^url: not a text/],
    [{ url: "" }, /^url: empty/],
    [{ url: "\ud800" }, /^url: not well-formed/],
    [{ url: "/".repeat(2049) }, /^url: longer than 2048 bytes/],
    [{ url: "/a", workMs: 501 }, /^workMs: above 500/],
    [{ url: "/a", workMs: -1 }, /^workMs: below 0/],
    [{ url: "/a", workMs: 1.5 }, /^workMs: not a whole number/],
    [{ url: "/a", more: 1 }, /^more: /],
    [["/a"], /url/],
  ])("refuses %j", async (body, detail) => {
    expect(await visit(body)).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(detail) },
    });
  });

  it("refuses what is no JSON, too large, or of a type that it does not take", async () => {
    const json = { "content-type": "application/json" };
    const post = (body: BodyInit, headers: Record<string, string> = json) =>
      request({ method: "POST", headers, body });
    expect((await problemOf(await post("{"))).status).toBe(400);
    expect((await problemOf(await post(new Uint8Array([0xff, 0xfe])))).status).toBe(400);
    expect((await problemOf(await post(`{"url":"/a"}${" ".repeat(5000)}`))).status).toBe(413);
    expect((await problemOf(await post("url=/a", { "content-type": "text/html" }))).status).toBe(415);
    const unknown = await request({ method: "POST", body: '{"url":"/a"}' }, undefined, "?work=3");
    expect((await problemOf(unknown)).detail).toMatch(/"work": not taken here/);
  });

  it("needs a key that may ingest", async () => {
    const init = { method: "POST", body: '{"url":"/keyed"}' };
    const as = (key: string) => request({ ...init, headers: { authorization: `Bearer ${key}` } }, { KEYS });
    expect((await problemOf(await request(init, { KEYS }))).status).toBe(401);
    expect((await problemOf(await as("reader"))).status).toBe(403);
    expect((await as("writer")).status).toBe(200);
    expect((await problemOf(await request(init, {}))).status).toBe(503);
  });

  it("is for POST only", async () => {
    const answer = await request({ method: "GET" });
    expect(answer.headers.get("allow")).toBe("POST");
    expect((await problemOf(answer)).status).toBe(405);
  });

  it("answers 429 when too much waits, and 503 when the object fails", async () => {
    const failing = queryApp({ plan });
    const answers: SynchronousRpc["visit"][] = [
      async () => ({ full: true, aheadMs: 1500 }),
      async () => {
        throw new Error("internal secret");
      },
    ];
    addSynchronous(failing, () => ({
      getByName: () => ({ visit: answers.shift() as SynchronousRpc["visit"] }),
    }));
    const bindings = { OPEN: "yes" } as unknown as QueryBindings;
    const post = () =>
      failing.request("/article/synchronous", { method: "POST", body: '{"url":"/a"}' }, bindings);
    const full = await post();
    expect(full.headers.get("retry-after")).toBe("2");
    expect((await problemOf(full)).status).toBe(429);
    const failed = await post();
    expect(failed.headers.get("retry-after")).toBe("1");
    expect(await problemOf(failed)).toEqual({ status: 503, detail: expect.not.stringMatching(/secret/) });
  });

  it("is in the contract", async () => {
    const document = await app.request("/openapi.json", {}, { OPEN: "yes" } as unknown as QueryBindings);
    const { paths } = (await document.json()) as { paths: Record<string, Record<string, unknown>> };
    expect(Object.keys(paths["/article/synchronous"] ?? {})).toEqual(["post"]);
  });
});
