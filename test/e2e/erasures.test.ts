/** A user is forgotten over HTTP: by views, dead letters, and files in R2, while it all runs in real workerd. */
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import type { FileStore } from "../../src/index.ts";
import { applied, get, request } from "./client.ts";
import type { Visit } from "./jobs/forgetful.ts";
import { plan } from "./jobs/forgetful.ts";
import { eventually } from "./support.ts";

const ALICE = "alice@example.org";
let runtime: Runtime;

beforeAll(async () => {
  const module = new URL("jobs/forgetful.ts", import.meta.url).pathname;
  runtime = await startRuntime({ register: { module, plan } });
});

afterAll(() => runtime.dispose());

async function visit(visits: readonly Visit[]): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await request(runtime, "/v1/sources/visits", {
    method: "POST",
    body: JSON.stringify(visits),
    headers,
  });
  expect(answer.status, answer.text).toBe(202);
  await applied(runtime, [answer]);
}

function parse(text: string): Report {
  return JSON.parse(text) as Report;
}

interface Report {
  readonly status: string;
  readonly error?: string;
  readonly state: { readonly keys: number; readonly timers: number };
  readonly deadLetters: { readonly erased: number };
  readonly files: { readonly sinks: readonly { readonly sink: string; readonly events: number }[] };
  readonly links: { readonly self: string };
}

async function erase(view: string): Promise<Report> {
  const asked = await request(runtime, `/v1/views/${view}?key=${encodeURIComponent(ALICE)}`, {
    method: "DELETE",
  });
  expect(asked.status, asked.text).toBe(202);
  const { links } = parse(asked.text);
  let report = parse(asked.text);
  await eventually(async () => {
    report = parse((await get(runtime, links.self)).text);
    return report.status !== "running";
  });
  return report;
}

async function lines(): Promise<{ key: string; data: Visit }[]> {
  const { FILES: bucket } = await runtime.bindings<{ FILES: FileStore }>("millrace-operator");
  const found: { key: string; data: Visit }[] = [];
  for (const { key } of (await bucket.list({ prefix: "visit-log/" })).objects) {
    const file = await bucket.get(key);
    const text = gunzipSync(Buffer.from((await file?.arrayBuffer()) as ArrayBuffer)).toString();
    found.push(
      ...text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { key: string; data: Visit }),
    );
  }
  return found;
}

it("forgets a user everywhere, and nobody else", async () => {
  for (let n = 0; n < 10; n++) {
    await visit([
      { user: ALICE, page: `/${n}` },
      { user: "bob", page: `/${n}` },
      { user: ALICE, page: n === 4 ? "/broken" : "/tea" },
      { user: "bob", page: n === 4 ? "/broken" : "/tea" },
      { user: `user-${n}`, page: "/home" },
    ]);
  }
  await eventually(async () => {
    const { body } = await get(runtime, "/v1/views/visits-per-user?total=1");
    return body.total === 48;
  });
  expect((await lines()).length).toBeGreaterThan(0);

  expect(await erase("last-page")).toMatchObject({
    status: "done",
    state: { keys: 1, timers: 1 },
    deadLetters: { erased: 1 },
    files: { sinks: [{ sink: "visit-log", keyed: true, events: 20 }] },
  });
  expect(await erase("visits-per-user")).toMatchObject({ status: "done", state: { keys: 1, timers: 0 } });

  const view = (name: string, key: string) =>
    get(runtime, `/v1/views/${name}?key=${encodeURIComponent(key)}`);
  expect((await view("last-page", ALICE)).status).toBe(404);
  expect((await view("visits-per-user", ALICE)).status).toBe(404);
  expect((await view("last-page", "bob")).body.value).toEqual({ page: "/tea" });
  expect((await view("visits-per-user", "bob")).body.value).toBe(19);
  const { body } = await get(runtime, "/v1/views/visits-per-user?total=1");
  expect([body.keys, body.total]).toEqual([11, 29]);
  const letters = (await get(runtime, "/v1/dead-letters")).text;
  expect(letters).toContain('"bob"');
  expect(letters).not.toContain(ALICE);
  const logged = await lines();
  expect(logged.filter(({ key, data }) => key === ALICE || data.user === ALICE)).toEqual([]);
  expect(logged.filter(({ key }) => key === "bob")).toHaveLength(20);
  expect(logged).toHaveLength(30);

  await visit([{ user: ALICE, page: "/again" }]);
  await eventually(async () => (await view("visits-per-user", ALICE)).body.value === 1);
});
