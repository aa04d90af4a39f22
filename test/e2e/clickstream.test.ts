/** The clickstream job end to end, in real workerd: HTTP in, queue, shards, HTTP out. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { applied, countOf, get, json, ndjson, post, total } from "./client.ts";

let stateDir: string;
let runtime: Runtime;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "millrace-e2e-"));
  runtime = await startRuntime({ stateDir });
});

afterAll(async () => {
  await runtime.dispose();
  await rm(stateDir, { recursive: true, force: true });
});

describe("ingest", () => {
  it("takes JSON, arrays, NDJSON, lines, JSON under text/plain, and gzip", async () => {
    const answers = [
      await post(runtime, '{"url":"/a"}', { "content-type": "application/json" }),
      await post(runtime, '[{"url":"/a"},{"url":"/b"}]', { "content-type": "application/json" }),
      await post(runtime, ndjson([{ url: "/a" }, { url: "/b" }, { url: "/c" }]), {
        "content-type": "application/x-ndjson",
      }),
      await post(runtime, "/a\r\n/b\n\n/c\n/d", { "content-type": "text/plain" }),
      await post(runtime, '{"url":"/a"}', { "content-type": "text/plain;charset=UTF-8" }),
      await post(runtime, gzipSync('[{"url":"/a"}]'), {
        "content-type": "application/json",
        "content-encoding": "gzip",
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 202]);
    expect(answers.map(({ body }) => body.accepted)).toEqual([1, 2, 3, 4, 1, 1]);
    await applied(runtime, answers);
    expect(await Promise.all(["/a", "/b", "/c", "/d"].map((url) => countOf(runtime, url)))).toEqual([
      6, 3, 2, 1,
    ]);
  });

  it("accepts what is valid, and says of the rest why not", async () => {
    const mixed = json([{ url: "/partial" }, { url: 3 }, {}, { url: "/partial", time: "yesterday" }]);
    const partial = await post(runtime, mixed, { "content-type": "application/json" });
    expect(partial.status).toBe(202);
    expect(partial.body.accepted).toBe(1);
    expect(partial.body.rejected?.map(({ index }) => index)).toEqual([1, 2, 3]);
    const strict = await post(runtime, mixed, { "content-type": "application/json" }, "?strict=1");
    expect(strict.status).toBe(400);
    await applied(runtime, [partial]);
    expect(await countOf(runtime, "/partial")).toBe(1);
  });

  it("counts the same body under one Idempotency-Key once, and refuses another body", async () => {
    const headers = { "content-type": "application/json", "idempotency-key": "order-1" };
    const answers = [];
    for (let n = 0; n < 10; n++) answers.push(await post(runtime, '{"url":"/idempotent"}', headers));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const other = await post(runtime, '{"url":"/another"}', headers);
    expect(other.status).toBe(422);
    await applied(runtime, answers);
    expect(await countOf(runtime, "/idempotent")).toBe(1);
    expect(await countOf(runtime, "/another")).toBeUndefined();
  });

  it("counts each number of a producer once, in whatever order they come", async () => {
    const answers = [];
    for (const sequence of [2, 0, 1, 1, 2, 0, 3]) {
      const headers = { "millrace-producer": "shop", "millrace-sequence": String(sequence) };
      answers.push(await post(runtime, `/numbered\n/numbered/${sequence}`, headers));
    }
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    await applied(runtime, answers);
    expect(await countOf(runtime, "/numbered")).toBe(4);
    const far = await post(runtime, "/far", {
      "millrace-producer": "shop",
      "millrace-sequence": "900000000",
    });
    expect(far.status).toBe(409);
  });
});

describe("query", () => {
  it("answers one key, the top, ranges and the total, the same as a plain recount", async () => {
    const counts = new Map<string, number>();
    const answers = [];
    for (let n = 0; n < 20; n++) {
      const urls = Array.from({ length: 50 }, (_, i) => `/q/${(i * i * 7 + n) % 90}`);
      for (const url of urls) counts.set(url, (counts.get(url) ?? 0) + 1);
      answers.push(await post(runtime, urls.join("\n"), { "content-type": "text/plain" }));
    }
    await applied(runtime, answers);
    const found: Record<string, number> = {};
    let cursor = "";
    for (let pages = 0; pages < 100; pages++) {
      const page = await get(runtime, `/v1/views/page-views?prefix=/q/&limit=7${cursor}`);
      for (const { key, value } of page.body.entries ?? []) {
        expect(found[key], key).toBeUndefined();
        found[key] = value;
      }
      if (page.body.next === undefined) break;
      cursor = `&cursor=${encodeURIComponent(page.body.next)}`;
    }
    expect(found).toEqual(Object.fromEntries(counts));
    const top = await get(runtime, "/v1/views/page-views?top=1000");
    const ranked = [...counts]
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value }));
    expect(top.body.entries?.filter(({ key }) => key.startsWith("/q/"))).toEqual(ranked);
  });

  it("shows the conservation of events, at rest with nothing in flight", async () => {
    const { text } = await get(runtime, "/metrics");
    const metric = (name: string) => {
      const line = text.split("\n").find((each) => each.startsWith(`${name}{`));
      return line === undefined ? undefined : Number(line.split(" ").at(-1));
    };
    const { total: counted } = await total(runtime);
    expect(metric("millrace_events_accepted_total")).toBe(counted);
    expect(metric("millrace_events_applied_total")).toBe(counted);
    expect(metric("millrace_events_in_flight")).toBe(0);
  });

  it("names every operation in /openapi.json, and answers what it promises", async () => {
    const { body } = await get(runtime, "/openapi.json");
    const paths = (body as unknown as { paths: Record<string, Record<string, unknown>> }).paths;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        "/v1/sources/{source}",
        "/v1/views/{view}",
        "/v1/jobs",
        "/v1/health",
        "/metrics",
      ]),
    );
  });
});

it("keeps its state over a restart", async () => {
  const before = await total(runtime);
  expect(before.total).toBeGreaterThan(0);
  await runtime.restart();
  expect(await total(runtime)).toEqual(before);
  await applied(runtime, [await post(runtime, "/after-restart", {})]);
  expect((await total(runtime)).total).toBe((before.total ?? 0) + 1);
});
