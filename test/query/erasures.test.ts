/** Erasures over HTTP: who may ask, what is answered at once, and what the report says until it is done. */
import * as v from "valibot";
import { expect, test } from "vitest";
import { erasureSchema, problemSchema, totalSchema } from "../../src/cloudflare/query/schemas.ts";
import { count, Job, planJobs, Sink } from "../../src/index.ts";
import { files } from "../../src/sinks/files.ts";
import { MemoryFiles } from "../../src/sinks/memory-files.ts";
import { readFiles } from "../../src/sinks/read-files.ts";
import type { Item } from "./deployment.ts";
import { Deployment, ItemReader } from "./deployment.ts";

class Elsewhere extends Sink<Item> {
  override async write(): Promise<void> {
    await Promise.resolve();
  }
}

function deployment(): { deployed: Deployment; bucket: MemoryFiles } {
  const job = new Job("shop");
  const clicks = job.addSource(new ItemReader("clicks"));
  const byKey = clicks.keyBy(({ key }) => key);
  byKey.aggregate("counts", count(), { shards: 3 });
  byKey.addSink(files("click-log"));
  clicks.addSink(files("raw-log"));
  clicks.addSink(new Elsewhere("elsewhere"));
  const bucket = new MemoryFiles();
  return { deployed: new Deployment(planJobs([job], { generation: 7 }), {}, { FILES: bucket }), bucket };
}

function erase(deployed: Deployment, path: string, init: RequestInit = {}): Promise<Response> {
  return deployed.request(path, { ...init, method: "DELETE" });
}

async function detailOf(response: Response): Promise<string> {
  return v.parse(problemSchema, await response.json()).detail ?? "";
}

test("is taken on at once, carried out in the background, and reported", async () => {
  const { deployed, bucket } = deployment();
  await deployed.send("clicks", ["/alice", "/bob", "/alice"]);
  await deployed.apply("clicks");
  const response = await erase(deployed, "/v1/views/counts?key=%2Falice");
  expect(response.status).toBe(202);
  expect(response.headers.get("cache-control")).toBe("no-store");
  const begun = v.parse(erasureSchema, await response.json());
  expect(begun).toMatchObject({ view: "counts", status: "running", state: { keys: 0, timers: 0 } });
  expect(response.headers.get("location")).toBe(begun.links.self);
  expect(begun.links.view).toBe("/v1/views/counts");
  expect((await deployed.request("/v1/views/counts?key=%2Falice")).status).toBe(200);

  await deployed.erasures.run();
  const waiting = await deployed.get(begun.links.self, erasureSchema);
  expect(waiting).toMatchObject({ status: "running", state: { keys: 1, timers: 0 } });
  expect(waiting.waitingFor).toBe("click-log/0: events to be written");
  const gone = await deployed.request("/v1/views/counts?key=%2Falice");
  expect(gone.status).toBe(404);
  expect(await deployed.get("/v1/views/counts?total=1", totalSchema)).toEqual({
    view: "counts",
    keys: 1,
    total: 1,
  });

  for (let run = 0; run < 3; run++) {
    await deployed.pass(60_000);
    await deployed.erasures.run();
  }
  const done = await deployed.get(begun.links.self, erasureSchema);
  expect(done).toMatchObject({
    status: "done",
    requested: "2026-01-31T12:00:00.000Z",
    finished: expect.stringMatching(/^2026-01-31T12:0/),
    state: { keys: 1, timers: 0 },
    deadLetters: { erased: 0 },
    files: {
      sinks: [
        { sink: "click-log", keyed: true, objects: 1, rewritten: 1, events: 2 },
        { sink: "raw-log", keyed: false, objects: 0, rewritten: 0, events: 0 },
      ],
    },
  });
  expect(done.waitingFor).toBeUndefined();
  expect(done.log.shards).toBe(6);
  expect(done.notes.join()).toContain("raw-log");
  expect(done.notes.join()).toContain("elsewhere");
  expect(JSON.stringify(done)).not.toContain("alice");
  const logged = [];
  for await (const { data } of readFiles<Item>(bucket, "click-log/")) logged.push(data.key);
  expect(logged).toEqual(["/bob"]);
});

test("a key that the view has never seen is taken on as well, and nothing is found of it", async () => {
  const { deployed } = deployment();
  const begun = v.parse(erasureSchema, await (await erase(deployed, "/v1/views/counts?key=nobody")).json());
  await deployed.erasures.run();
  expect(await deployed.get(begun.links.self, erasureSchema)).toMatchObject({
    status: "done",
    state: { keys: 0, timers: 0 },
    log: { shards: 6, rows: 0 },
  });
});

test("it needs the scope admin, to ask and to read", async () => {
  const { deployed } = deployment();
  const keys = { KEYS: JSON.stringify({ reader: ["read"], boss: ["admin"] }) };
  const env = deployed.environment(keys);
  const ask = (method: string, path: string, key: string) =>
    deployed.request(path, { method, headers: { authorization: `Bearer ${key}` } }, env);
  expect((await ask("DELETE", "/v1/views/counts?key=a", "reader")).status).toBe(403);
  expect(deployed.erasures.erasures.size).toBe(0);
  expect((await ask("DELETE", "/v1/views/counts?key=a", "boss")).status).toBe(202);
  expect((await ask("GET", "/v1/erasures/erasure-1", "reader")).status).toBe(403);
  expect((await ask("GET", "/v1/erasures/erasure-1", "boss")).status).toBe(200);
});

test("what is wrong is said", async () => {
  const { deployed } = deployment();
  const unknown = await erase(deployed, "/v1/views/count?key=a");
  expect([unknown.status, await detailOf(unknown)]).toEqual([404, 'no view "count"; there are: counts']);
  const keyless = await erase(deployed, "/v1/views/counts");
  expect([keyless.status, await detailOf(keyless)]).toEqual([400, "key is needed here"]);
  expect((await erase(deployed, "/v1/views/counts?key=a&top=3")).status).toBe(400);
  const missing = await deployed.request("/v1/erasures/none");
  expect(missing.status).toBe(404);
  expect((await deployed.request("/v1/erasures/none", { method: "POST" })).headers.get("allow")).toBe(
    "GET, HEAD",
  );
  const post = await deployed.request("/v1/views/counts", { method: "POST" });
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD, DELETE"]);
  deployed.down.add("erasures");
  const down = await erase(deployed, "/v1/views/counts?key=a");
  expect([down.status, down.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(deployed.erasures.erasures.size).toBe(0);
});
