/** Keys and backpressure of a deployment, in real workerd: closed until opened on purpose, and who may do what. */
import { afterEach, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { Viewer } from "../live/viewer.ts";
import type { Answer } from "./client.ts";
import { applied, post, request } from "./client.ts";

let runtime: Runtime;

afterEach(() => runtime.dispose());

const READS = ["/v1/views/page-views?total=1", "/v1/jobs", "/v1/health", "/metrics"];

it("without keys refuses everything, and says how to set them", async () => {
  runtime = await startRuntime({ vars: { OPEN: "" } });
  for (const answer of [
    await post(runtime, "/a", {}),
    ...(await Promise.all(READS.map((path) => request(runtime, path)))),
  ]) {
    expect(answer.status).toBe(503);
    expect(answer.body.detail).toMatch(/wrangler secret put KEYS/);
  }
});

it("with keys lets each do what it may", async () => {
  const KEYS = JSON.stringify({
    writer: ["ingest"],
    reader: ["read"],
    admin: ["ingest", "read", "admin"],
    page: ["ingest", "browser"],
  });
  runtime = await startRuntime({ vars: { OPEN: "", KEYS } });
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  expect((await post(runtime, "/a", {})).status).toBe(401);
  expect((await post(runtime, "/a", as("unknown"))).status).toBe(401);
  expect((await post(runtime, "/a", as("reader"))).status).toBe(403);
  const written = await post(runtime, "/a", as("writer"));
  expect(written.status).toBe(202);
  expect((await post(runtime, "/a", {}, "?access_key=writer")).status).toBe(202);
  const numbered = { "millrace-producer": "p", "millrace-sequence": "0" };
  expect((await post(runtime, "/a", { ...as("page"), ...numbered })).status).toBe(403);
  expect((await post(runtime, "/a", { ...as("admin"), ...numbered })).status).toBe(202);
  for (const path of READS) {
    expect((await request(runtime, path)).status).toBe(401);
    expect((await request(runtime, path, { headers: as("writer") })).status).toBe(403);
    expect((await request(runtime, path, { headers: as("reader") })).status).toBe(200);
  }
  const live = (key: string) => {
    const url = new URL(`/v1/views/page-views/live?total=1&access_key=${key}`, runtime.url);
    url.protocol = "ws:";
    return new Viewer(url);
  };
  for (const key of ["", "writer", "unknown"]) await live(key).until(({ closed }) => closed);
  const viewer = live("reader");
  await viewer.until(({ told }) => told.length > 0);
  viewer.leave();
  const letters = "/v1/dead-letters";
  expect((await request(runtime, letters, { headers: as("reader") })).status).toBe(403);
  expect((await request(runtime, letters, { headers: as("admin") })).status).toBe(200);
});

it("past the high-water mark of the backlog answers 429 until it has drained, and loses nothing", async () => {
  // Batches wait two seconds to fill, so the queue holds what the mark of one message refuses; what a send is told of
  // the backlog may not include itself yet.
  runtime = await startRuntime({ vars: { OPEN: "yes", BACKLOG_HIGH_WATER: "1" }, queueWait: 2 });
  const taken: Answer[] = [];
  let refused = await post(runtime, "/a", {});
  for (; refused.status === 202 && taken.length < 10; refused = await post(runtime, "/a", {}))
    taken.push(refused);
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  await applied(runtime, taken);
  let again = await post(runtime, "/a", {});
  for (let tries = 0; tries < 100 && again.status === 429; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    again = await post(runtime, "/a", {});
  }
  expect(again.status).toBe(202);
  await applied(runtime, [again]);
  expect((await request(runtime, "/v1/views/page-views?key=/a")).body.value).toBe(taken.length + 1);
});
