import { describe, expect, it, vi } from "vitest";
import { requireScope } from "../../../src/cloudflare/http/keys.ts";
import { Problem } from "../../../src/cloudflare/http/problem.ts";
import type { Ticket } from "../../../src/cloudflare/http/ticket.ts";
import { decodeTicket, encodeTicket } from "../../../src/cloudflare/http/ticket.ts";
import { isDeeperThan, jsonErrorByte } from "../../../src/cloudflare/ingest/json.ts";
import { BacklogMemory, CloudflareQueue } from "../../../src/cloudflare/queue.ts";
import { QueueError, VirtualClock } from "../../../src/index.ts";
import { Door, FakeQueue } from "./fakes.ts";

describe("CloudflareQueue", () => {
  const overloaded = { error: new Error("Queue sendBatch failed: Queue is overloaded (10250)") };
  const unclear = { error: new Error("Queue sendBatch failed: Unknown Internal Error"), arrives: true };
  const wrong = { error: new Error("Queue sendBatch failed: Batch size out of bounds (10205)") };
  const broken = { error: new Error("Queue sendBatch failed: Client disconnected (10201)") };

  async function send(...script: FakeQueue["script"]) {
    const binding = new FakeQueue();
    binding.script.push(...script);
    const waits: number[] = [];
    const wait = async (ms: number) => void waits.push(ms);
    const queue = new CloudflareQueue(binding, new BacklogMemory(), { wait, random: () => 0.5 });
    const outcome = await queue.send(["one", "two"]).then(
      () => "sent",
      (error: unknown) => (error instanceof QueueError ? error.outcome : error),
    );
    return { outcome, tries: binding.sends, waits };
  }

  it("sends the same messages again, with growing waits, until the queue takes them", async () => {
    const { outcome, tries, waits } = await send(overloaded, unclear);
    expect(outcome).toBe("sent");
    expect(tries).toEqual(Array(3).fill(["one", "two"]));
    expect(waits).toEqual([200, 400]);
  });

  it.each([
    ["none", [overloaded, overloaded, overloaded], 3],
    ["unknown", [overloaded, unclear, overloaded], 3],
    ["unknown", [unclear, unclear, unclear], 3],
    ["unknown", [broken, broken, broken], 3],
    ["none", [wrong], 1],
    ["unknown", [unclear, wrong], 2],
  ])("gives up with outcome %s", async (expected, script, tries) => {
    const result = await send(...(script as FakeQueue["script"]));
    expect(result.outcome).toBe(expected);
    expect(result.tries).toHaveLength(tries as number);
  });

  it("gives a try up that does not answer, as unknown, without another one", async () => {
    vi.useFakeTimers();
    try {
      const binding = { sendBatch: vi.fn(() => new Promise(() => {})), metrics: async () => ({}) };
      const sent = new CloudflareQueue(binding, new BacklogMemory()).send(["one"]);
      const failed = expect(sent).rejects.toMatchObject({ outcome: "unknown" });
      await vi.advanceTimersByTimeAsync(20_000);
      await failed;
      expect(binding.sendBatch).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  it("knows the backlog from a send for a second, then asks", async () => {
    const clock = new VirtualClock(5000);
    const binding = new FakeQueue();
    binding.backlog = 7;
    const queue = new CloudflareQueue(binding, new BacklogMemory(), { clock });
    await queue.send(["one"]);
    binding.backlog = 9;
    clock.advance(999);
    expect(await queue.backlog()).toMatchObject({ messages: 7 });
    clock.advance(1);
    expect(await queue.backlog()).toMatchObject({ messages: 9 });
    expect(binding.asked).toBe(1);
  });
});

describe("tickets", () => {
  const ticket: Ticket = {
    source: "clicks",
    producer: "0123456789abcdef".repeat(2),
    sequence: 12,
    segments: 2,
    operators: [
      { name: "page-views", shards: [[0, 3, 255], []] },
      { name: "totals", shards: [[0], [1]] },
    ],
  };

  it("come back as they were, and fit into a URL", () => {
    const text = encodeTicket(ticket);
    expect(text).toMatch(/^[\w-]+$/);
    expect(text.length).toBeLessThan(300);
    expect(decodeTicket(text)).toEqual(ticket);
  });

  it("are not anything else", () => {
    const of = (value: unknown) => decodeTicket(btoa(JSON.stringify(value)).replaceAll("=", ""));
    const good = [1, "clicks", ticket.producer, 0, 1, [["a", ["f"]]]];
    const but = (at: number, value: unknown) => of(good.with(at, value as never));
    expect(of(good)).toBeDefined();
    for (const bad of ["", "x", "%", "a".repeat(20_000), "bnVsbA", encodeTicket(ticket).slice(0, -3)])
      expect(decodeTicket(bad)).toBeUndefined();
    for (const value of [null, {}, [], [2], good.slice(0, 5)]) expect(of(value)).toBeUndefined();
    expect(but(0, 2)).toBeUndefined();
    expect(but(1, 1)).toBeUndefined();
    expect(but(2, "x")).toBeUndefined();
    expect(but(3, -1)).toBeUndefined();
    expect(but(3, Number.MAX_SAFE_INTEGER)).toBeUndefined();
    expect(but(4, 0)).toBeUndefined();
    expect(but(4, 1e6)).toBeUndefined();
    expect(but(5, [["a", ["f", "f"]]])).toBeUndefined();
    expect(but(5, [["a", ["g"]]])).toBeUndefined();
    expect(but(5, [["a", ["f".repeat(65)]]])).toBeUndefined();
    expect(but(5, [["a"]])).toBeUndefined();
    expect(but(5, 1)).toBeUndefined();
  });
});

describe("keys", () => {
  const KEYS = JSON.stringify({
    in: ["ingest"],
    all: ["ingest", "read", "admin"],
    page: ["ingest", "browser"],
  });
  const ask = async (env: object, scope: "ingest" | "read", headers = {}, query = "") => {
    try {
      const credential = await requireScope(new Request(`http://x/${query}`, { headers }), env, scope);
      return { id: credential.id, scopes: [...credential.scopes].sort() };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { status: error.status, detail: error.detail, headers: error.headers };
    }
  };

  it("are taken from the header, whatever its case, or the query string", async () => {
    const id = { id: expect.stringMatching(/^[0-9a-f]{16}$/), scopes: ["ingest"] };
    expect(await ask({ KEYS }, "ingest", { authorization: "Bearer in" })).toEqual(id);
    expect(await ask({ KEYS }, "ingest", { authorization: "bearer  in" })).toEqual(id);
    expect(await ask({ KEYS }, "ingest", {}, "?access_key=in")).toEqual(id);
  });

  it.each([
    [{}, ""],
    [{ authorization: "Bearer nope" }, ""],
    [{ authorization: "Basic in" }, ""],
    [{ authorization: "Bearer" }, "?access_key=in"],
    [{}, "?access_key="],
    [{}, "?access_key=__proto__"],
  ])("are needed: %o %s", async (headers, query) => {
    const answer = await ask({ KEYS }, "ingest", headers, query);
    expect(answer).toMatchObject({
      status: 401,
      headers: { "www-authenticate": expect.stringMatching(/^Bearer/) },
    });
  });

  it("do only what they may", async () => {
    expect(await ask({ KEYS }, "read", { authorization: "Bearer in" })).toMatchObject({ status: 403 });
  });

  it.each([
    [{}, /wrangler secret put KEYS.*OPEN/],
    [{ KEYS: "", OPEN: "no" }, /wrangler secret put KEYS/],
    [{ KEYS: "{secret" }, /not JSON/],
    [{ KEYS: "[]" }, /not an object/],
    [{ KEYS: '{"secret":["everything"]}' }, /list of scopes/],
  ])("that are not set up as they should be give 503: %o", async (env, detail) => {
    const answer = await ask(env, "ingest");
    expect(answer).toMatchObject({ status: 503, detail: expect.stringMatching(detail) });
    expect(JSON.stringify(answer)).not.toMatch(/secret"|\{secret/);
  });

  it("are not needed when it is open on purpose, but still tell who is who", async () => {
    const open = { OPEN: "yes" };
    expect(await ask(open, "ingest")).toEqual({ id: "open", scopes: ["admin", "ingest", "read"] });
    expect(await ask(open, "ingest", { authorization: "Bearer any" })).toMatchObject({ id: "open" });
    const known = await ask({ ...open, KEYS }, "read", { authorization: "Bearer page" });
    expect(known).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      scopes: ["admin", "browser", "ingest", "read"],
    });
  });

  it("guard the door before it says what is behind it", async () => {
    const door = new Door({ KEYS, OPEN: "" });
    expect((await door.post({ url: "/a" }, {}, "/v1/sources/nope")).status).toBe(401);
    expect((await door.fetch("/v1/sources/clicks")).status).toBe(401);
    const beacon = { method: "POST", body: '{"url":"/a"}', headers: { "content-type": "text/plain" } };
    expect((await door.fetch("/v1/sources/clicks?access_key=page", beacon)).status).toBe(202);
  });
});

describe("CORS", () => {
  const preflight = (origin: string) => ({
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST" },
  });
  const corsOf = (headers: Headers) =>
    [...headers.keys()].filter((name) => name.startsWith("access-control"));

  it("lets pages of allowed origins in, and nobody else", async () => {
    const door = new Door({ ALLOWED_ORIGINS: "https://a.example, https://b.example/" });
    const good = await door.fetch("/v1/sources/clicks", preflight("https://b.example"));
    expect(good.status).toBe(204);
    expect(good.headers.get("access-control-allow-origin")).toBe("https://b.example");
    expect(good.headers.get("access-control-allow-headers")).toMatch(/idempotency-key.*millrace-producer/);
    expect(good.headers.get("access-control-max-age")).toBe("86400");
    expect(good.headers.get("vary")).toMatch(/Origin/);
    const bad = await door.fetch("/v1/sources/clicks", preflight("https://evil.example"));
    expect(corsOf(bad.headers)).toEqual([]);
    expect(bad.headers.get("vary")).toMatch(/Origin/);
    expect(door.passed).toEqual([]);
  });

  it("covers answers, errors and what the query Worker says", async () => {
    const door = new Door({ ALLOWED_ORIGINS: "*" });
    const headers = { origin: "https://a.example" };
    for (const path of ["/v1/sources/clicks", "/v1/sources/nope", "/v1/views"]) {
      const answer = await door.fetch(path, { headers });
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    }
    expect((await door.post({ url: "/a" }, headers)).headers.get("access-control-allow-origin")).toBe("*");
  });

  it("says nothing where no origin is allowed, or none asks", async () => {
    const closed = await new Door().fetch("/v1/sources/clicks", preflight("https://a.example"));
    expect([closed.status, corsOf(closed.headers), closed.headers.get("vary")]).toEqual([204, [], null]);
    const none = await new Door({ ALLOWED_ORIGINS: "*" }).post({ url: "/a" });
    expect(corsOf(none.headers)).toEqual([]);
  });

  it("lets programs, its own page and pages of allowed origins watch by WebSocket, and no other page", async () => {
    const door = new Door({ ALLOWED_ORIGINS: "https://a.example" });
    const watch = async (origin?: string) => {
      const headers = { upgrade: "websocket", ...(origin === undefined ? {} : { origin }) };
      return (await door.fetch("/v1/views/page-views/live", { headers })).status;
    };
    expect(await watch()).toBe(200);
    expect(await watch("http://millrace.test")).toBe(200);
    expect(await watch("https://a.example")).toBe(200);
    expect(await watch("https://evil.example")).toBe(403);
    expect(await watch("null")).toBe(403);
  });
});

describe("the OpenAPI document", () => {
  it("is ours and the query Worker's in one", async () => {
    const theirs = {
      openapi: "3.1.0",
      info: {},
      paths: { "/v1/views": {} },
      components: { schemas: { View: {} } },
    };
    const door = new Door({ QUERY: { fetch: async () => Response.json(theirs) } });
    const { status, body } = await door.fetch("/openapi.json");
    expect(status).toBe(200);
    expect(Object.keys(body.paths).sort()).toEqual(["/v1/sources/{source}", "/v1/views"]);
    expect(body.info).toMatchObject({ title: "Millrace" });
    expect(body.components.schemas).toHaveProperty("View");
    expect(body.components.securitySchemes).toHaveProperty("bearer");
    const { post } = body.paths["/v1/sources/{source}"];
    expect(Object.keys(post.responses)).toEqual(expect.arrayContaining(["202", "400", "429", "503"]));
    expect(post.responses["202"].content["application/json"].schema.properties).toHaveProperty("ticket");
    expect((await door.fetch("/openapi.json", { method: "HEAD" })).status).toBe(200);
  });

  it("is their error when they have one", async () => {
    const door = new Door({ QUERY: { fetch: async () => new Response("no", { status: 401 }) } });
    expect((await door.fetch("/openapi.json")).status).toBe(401);
  });
});

describe("JSON", () => {
  it.each([
    ["", 0],
    ["{", 1],
    ["[1 2]", 3],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['{"a":tru}', 5],
    ["[1]]", 3],
    ['"abc', 4],
    ['"a\nb"', 2],
    ['"\\x"', 1],
    ["[01]", 2],
    ["[1.]", 2],
    ["{1:2}", 1],
    ["}", 0],
    ['["é",]', 6],
    [",", 0],
  ])("%j ends being JSON at byte %i", (text, byte) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(jsonErrorByte(text)).toBe(byte);
  });

  it("is walked without running out of stack", () => {
    expect(jsonErrorByte(`"${"\\n".repeat(2_000_000)}`)).toBe(4_000_001);
    expect(jsonErrorByte("[".repeat(2_000_000))).toBe(2_000_000);
    let deep: unknown = 0;
    for (let n = 0; n < 200_000; n++) deep = n % 2 === 0 ? [deep] : { deep };
    expect(isDeeperThan(deep, 100)).toBe(true);
    expect(isDeeperThan({ a: [1, { b: [] }] }, 4)).toBe(false);
    expect(isDeeperThan({ a: [1, { b: [] }] }, 3)).toBe(true);
  });
});
