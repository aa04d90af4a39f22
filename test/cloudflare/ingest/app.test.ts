import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decodeTicket } from "../../../src/cloudflare/http/ticket.ts";
import { Door } from "./fakes.ts";

// What is logged on purpose would only clutter the report.
beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

describe("a request without an identity", () => {
  it("answers 202 with a ticket once its events are durable", async () => {
    const door = new Door();
    const answer = await door.post([{ url: "/a" }, { url: "/b" }, { url: "/a" }]);
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ accepted: 3, rejected: [], ticket: expect.any(String) });
    expect(door.clicks.counts).toEqual({ "/a": 2, "/b": 1 });
    const [segment] = door.clicks.segments;
    expect(segment).toMatchObject({ kind: 0, sequence: 0, events: 3, before: 0, arrival: 1_000_000 });
    const ticket = decodeTicket(answer.body.ticket);
    expect(ticket).toEqual({
      source: "clicks",
      producer: segment?.producer,
      sequence: 0,
      segments: 1,
      operators: [{ name: "page-views", shards: [segment?.parts[0]?.byShard.map((b) => b.shard).sort()] }],
    });
  });

  it("takes the isolate's numbers without gaps, counted from the first event", async () => {
    const door = new Door();
    const sent = [
      [{ url: "/a" }, { url: "/b" }],
      [{ no: "url" }],
      [{ url: "/c" }],
      "broken",
      [{ url: "/d" }],
    ];
    await Promise.all(sent.map((body) => door.post(body)));
    const numbers = door.clicks.segments.map(({ sequence, before, events }) => [sequence, before, events]);
    expect(numbers.sort()).toEqual([
      [0, 0, 2],
      [1, 2, 1],
      [2, 3, 1],
    ]);
    expect(new Set(door.clicks.segments.map(({ producer }) => producer)).size).toBe(1);
  });

  it("splits a large request into segments, all of which the ticket names", async () => {
    const door = new Door();
    const events = Array.from({ length: 2000 }, (_, n) => ({ url: `/${n}/${"x".repeat(40)}` }));
    const answer = await door.post(events);
    expect(answer.status).toBe(202);
    expect(door.clicks.segments.length).toBeGreaterThan(1);
    expect(decodeTicket(answer.body.ticket)?.segments).toBe(door.clicks.segments.length);
    const next = await door.post({ url: "/next" });
    expect(decodeTicket(next.body.ticket)?.sequence).toBe(door.clicks.segments.length - 1);
    expect(door.clicks.segments.at(-1)?.before).toBe(2000);
  });

  it("says of each rejected record why, by its place, and takes its neighbours", async () => {
    const door = new Door();
    const answer = await door.post([{ url: "/a" }, { url: 3 }, "/b", null, { url: "/c", time: "yesterday" }]);
    expect(answer.status).toBe(202);
    expect(answer.body.accepted).toBe(2);
    expect(answer.body.rejected.map((r: { index: number }) => r.index)).toEqual([1, 3, 4]);
    expect(answer.body.rejected[0].error).toMatch(/^url: /);
    expect(answer.body.rejectedCount).toBeUndefined();
  });

  it("lists the first 100 rejects and counts the rest", async () => {
    const door = new Door();
    const answer = await door.post([...Array.from({ length: 150 }, () => 0), { url: "/a" }]);
    expect(answer.status).toBe(202);
    expect(answer.body.rejected).toHaveLength(100);
    expect(answer.body.rejectedCount).toBe(150);
  });

  it("refuses with 400 when nothing could be accepted, 413 when all was too large", async () => {
    const door = new Door();
    const malformed = await door.post([{}, {}]);
    expect(malformed.status).toBe(400);
    expect(malformed.body.rejected).toHaveLength(2);
    const large = await door.post([{ url: "x".repeat(3000) }]);
    expect(large.status).toBe(413);
    expect(large.body.rejected[0].error).toMatch(/limit/);
    expect(door.clicks.sends).toEqual([]);
  });

  it("with strict=1 accepts all or nothing", async () => {
    const door = new Door();
    const path = "/v1/sources/clicks?strict=1";
    const refused = await door.post([{ url: "/a" }, {}], {}, path);
    expect(refused.status).toBe(400);
    expect(refused.body.rejected).toEqual([{ index: 1, error: expect.stringMatching(/^url/) }]);
    expect(door.clicks.sends).toEqual([]);
    expect((await door.post([{ url: "/a" }], {}, path)).status).toBe(202);
    expect((await door.post([{ url: "/a" }], {}, "/v1/sources/clicks?strict=perhaps")).status).toBe(400);
  });

  it("counts an event that an operator throws on as accepted, as a dead letter", async () => {
    const door = new Door();
    const answer = await door.post(["fine", "bomb", 3], {}, "/v1/sources/things");
    expect(answer.body).toMatchObject({ accepted: 3, rejected: [] });
    const parts = door.things.segments.flatMap((s) => s.parts.flatMap((p) => p.byShard));
    expect(parts.flatMap((p) => p.dead)).toMatchObject([{ operator: "explode", error: "boom", n: 1 }]);
  });

  it("refuses a record of which the source makes no event, and counts nothing", async () => {
    const door = new Door();
    const answer = await door.post([null], {}, "/v1/sources/things");
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(/no event/);
    expect(door.things.sends).toEqual([]);
  });
});

describe("a client that numbers its requests", () => {
  const numbered = (sequence: number | string, id = "importer-1") => ({
    "millrace-producer": id,
    "millrace-sequence": String(sequence),
  });

  it("gets the same identity for the same number, another one for another source or id", async () => {
    const door = new Door();
    await door.post({ url: "/a" }, numbered(7));
    await door.post({ url: "/a" }, numbered(7));
    await door.post({ url: "/a" }, numbered(7, "importer-2"));
    await door.post({ url: "/a" }, numbered(7), "/v1/sources/things");
    const [first, second, third] = door.clicks.segments;
    expect(first).toMatchObject({ kind: 1, sequence: 7, before: 0, events: 1 });
    expect(first?.producer).toMatch(/^[0-9a-f]{32}$/);
    expect(second).toEqual(first);
    expect(third?.producer).not.toBe(first?.producer);
    expect(door.things.segments[0]?.producer).not.toBe(first?.producer);
  });

  it("uses up the number of a request of which nothing was accepted, with an empty segment", async () => {
    const door = new Door();
    const refused = await door.post([{}], numbered(0));
    expect(refused.status).toBe(400);
    expect(refused.body.detail).toMatch(/number 0 is used up/);
    const strict = await door.post([{ url: "/a" }, {}], numbered(1), "/v1/sources/clicks?strict=1");
    expect(strict.status).toBe(400);
    expect(door.clicks.segments).toMatchObject([
      { sequence: 0, events: 0, parts: [], kind: 1 },
      { sequence: 1, events: 0, parts: [], kind: 1 },
    ]);
  });

  it("leaves the number free for any other refusal", async () => {
    const door = new Door();
    expect((await door.post("{", numbered(0))).status).toBe(400);
    expect((await door.post([], numbered(0))).status).toBe(400);
    expect((await door.post("a", { ...numbered(0), "content-type": "image/png" })).status).toBe(415);
    const large = Array.from({ length: 3000 }, (_, n) => ({ url: `/${n}/${"x".repeat(60)}` }));
    const tooLarge = await door.post(large, numbered(0));
    expect(tooLarge.status).toBe(413);
    expect(tooLarge.body.detail).toMatch(/one message/);
    expect(door.clicks.sends).toEqual([]);
  });

  it("answers 503 rather than 400 when the number could not be used up", async () => {
    const door = new Door();
    door.clicks.script.push(
      ...Array.from({ length: 3 }, () => ({ error: new Error("Unknown Internal Error") })),
    );
    const answer = await door.post([{}], numbered(0));
    expect(answer).toMatchObject({ status: 503, body: { outcome: "unknown" } });
  });

  it("refuses jumps far beyond what has arrived, and asks for that only when it may be one", async () => {
    const door = new Door();
    expect((await door.post({ url: "/a" }, numbered(99_999))).status).toBe(202);
    expect(door.claims.asked).toBe(0);
    const jump = await door.post({ url: "/a" }, numbered(100_000));
    expect(jump).toMatchObject({ status: 409, body: { prefix: 0, limit: 100_000 } });
    door.claims.value = 60_000;
    expect((await door.post({ url: "/a" }, numbered(100_000))).status).toBe(202);
    expect((await door.post({ url: "/a" }, numbered(150_000))).status).toBe(202);
    expect(door.claims.asked).toBe(2);
    expect((await door.post({ url: "/a" }, numbered(Number.MAX_SAFE_INTEGER))).status).toBe(409);
  });

  it.each([
    [{ "millrace-producer": "a" }],
    [{ "millrace-sequence": "1" }],
    [numbered("-1")],
    [numbered("01")],
    [numbered("1.5")],
    [numbered("1e3")],
    [numbered("9007199254740993")],
    [numbered("")],
    [numbered(1, "")],
    [numbered(1, "x".repeat(129))],
    [numbered(1, "é")],
    [{ ...numbered(1), "idempotency-key": "k" }],
    [{ "idempotency-key": "" }],
    [{ "idempotency-key": "k".repeat(256) }],
    [{ "millrace-replay": "1" }],
    [{ ...numbered(1), "millrace-replay": "yes" }],
    [{ ...numbered(1), "millrace-end": "1" }],
    [{ "millrace-end": "1" }],
  ])("refuses %j", async (headers) => {
    const door = new Door();
    const answer = await door.post({ url: "/a" }, headers as Record<string, string>);
    expect(answer.status).toBe(400);
    expect(door.clicks.sends).toEqual([]);
  });

  it("keeps credentials apart, and browsers out", async () => {
    const KEYS = JSON.stringify({ one: ["ingest"], two: ["ingest"], page: ["ingest", "browser"] });
    const door = new Door({ KEYS, OPEN: "" });
    const as = (key: string) => ({ ...numbered(0), authorization: `Bearer ${key}` });
    await door.post({ url: "/a" }, as("one"));
    await door.post({ url: "/a" }, as("two"));
    const [one, two] = door.clicks.segments;
    expect(one?.producer).not.toBe(two?.producer);
    expect((await door.post({ url: "/a" }, as("page"))).status).toBe(403);
  });
});

describe("a client that sends an Idempotency-Key", () => {
  const key = (text: string) => ({ "idempotency-key": text });

  it("gets one identity for the same key and body, 422 for another body", async () => {
    const door = new Door();
    const first = await door.post({ url: "/a" }, key("order-1"));
    const again = await door.post({ url: "/a" }, key("order-1"));
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
    // All but what it took to ask for a new key.
    const [one, other] = door.clicks.segments;
    expect({ ...other, used: undefined }).toEqual({ ...one, used: undefined });
    expect(door.clicks.segments[0]).toMatchObject({ kind: 1, producer: "a".repeat(32), sequence: 0 });
    expect((await door.post({ url: "/b" }, key("order-1"))).status).toBe(422);
    expect((await door.post({ url: "/a" }, key("order-1"), "/v1/sources/clicks?strict=1")).status).toBe(422);
    expect(door.clicks.sends).toHaveLength(2);
    expect(new Set(door.gate.names).size).toBe(1);
    expect(door.gate.names[0]).toMatch(/^clicks\/([0-9]|1[0-5])$/);
  });

  it("does not ask the gate for what sends nothing", async () => {
    const door = new Door();
    expect((await door.post([{}], key("order-1"))).status).toBe(400);
    expect(door.gate.names).toEqual([]);
  });

  it("closes the gate's number when the request does not fit one message", async () => {
    const door = new Door();
    const large = Array.from({ length: 3000 }, (_, n) => ({ url: `/${n}/${"x".repeat(60)}` }));
    expect((await door.post(large, key("order-1"))).status).toBe(413);
    expect(door.clicks.segments).toMatchObject([{ sequence: 0, events: 0, parts: [] }]);
  });

  it("answers 503 of outcome none when the gate does not answer", async () => {
    const door = new Door();
    door.gate.error = new Error("secret internals");
    const answer = await door.post({ url: "/a" }, key("order-1"));
    expect(answer).toMatchObject({ status: 503, body: { outcome: "none" } });
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(answer.text).not.toMatch(/secret/);
  });
});

describe("the queue", () => {
  it("is asked for its backlog only when a send has not just said it, and 429 says when to come back", async () => {
    const door = new Door({ BACKLOG_HIGH_WATER: "100" });
    await door.post({ url: "/a" });
    await door.post({ url: "/a" });
    expect(door.clicks.asked).toBe(1);
    door.clock.advance(1000);
    door.clicks.backlog = 100;
    const answer = await door.post({ url: "/a" });
    expect(answer).toMatchObject({
      status: 429,
      body: { queue: "millrace-clicks", backlog: 100, limit: 100 },
    });
    expect(answer.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(door.clicks.asked).toBe(2);
    expect(door.clicks.sent).toHaveLength(2);
  });

  it("that fails for good gives 503 with an outcome, and the numbers stay burned", async () => {
    const door = new Door();
    const unknown = {
      error: new Error("Queue sendBatch failed: Unknown Internal Error (15000)"),
      arrives: true,
    };
    door.clicks.script.push(unknown, unknown, unknown);
    const lost = await door.post({ url: "/a" });
    expect(lost).toMatchObject({ status: 503, body: { outcome: "unknown" } });
    expect(lost.headers.get("retry-after")).toMatch(/^\d+$/);
    const overloaded = { error: new Error("Queue is overloaded. (10250)") };
    door.clicks.script.push(overloaded, overloaded, overloaded);
    expect(await door.post({ url: "/a" })).toMatchObject({ status: 503, body: { outcome: "none" } });
    await door.post({ url: "/a" });
    expect(door.clicks.segments.map(({ sequence }) => sequence)).toEqual([0, 0, 0, 2]);
  });

  it("that is not bound gives 503 with what to do", async () => {
    const door = new Door();
    delete door.env.QUEUE_CLICKS;
    const answer = await door.post({ url: "/a" });
    expect(answer.status).toBe(503);
    expect(answer.body.detail).toMatch(/npm run plan/);
  });
});

describe("routes", () => {
  it("names the sources that there are", async () => {
    const answer = await new Door().post({ url: "/a" }, {}, "/v1/sources/nope");
    expect(answer).toMatchObject({ status: 404, body: { sources: ["clicks", "things"] } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it.each(["GET", "HEAD", "PUT", "DELETE", "PATCH", "PROPFIND"])(
    "answers %s on a source with 405",
    async (method) => {
      const answer = await new Door().fetch("/v1/sources/clicks", { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.get("allow")).toBe("POST, OPTIONS");
      if (method === "HEAD") expect(answer.text).toBe("");
    },
  );

  it("answers OPTIONS on a source", async () => {
    const answer = await new Door().fetch("/v1/sources/clicks", { method: "OPTIONS" });
    expect(answer).toMatchObject({ status: 204, text: "" });
    expect(answer.headers.get("allow")).toBe("POST, OPTIONS");
  });

  it.each([
    ["GET", "/"],
    ["GET", "/metrics"],
    ["GET", "/v1/views/page-views?key=/home&access_key=x"],
    ["POST", "/v1/dead-letters/redrive"],
    ["HEAD", "/v1/health"],
    ["DELETE", "/v1/tickets/x"],
    ["GET", "/v1/sources/../x"],
    ["GET", "/v1/sources/%2e%2e/x"],
    ["GET", "//v1/sources/clicks"],
  ])("passes %s %s on unchanged", async (method, path) => {
    const door = new Door();
    const answer = await door.fetch(path, { method, headers: { authorization: "Bearer x" } });
    expect(answer.status).toBe(200);
    const [request] = door.passed;
    expect(request?.method).toBe(method);
    expect(request?.url).toBe(new Request(`http://millrace.test${path}`).url);
    expect(request?.headers.get("authorization")).toBe("Bearer x");
  });

  it.each([
    "/v1/sources/",
    "/v1/sources/clicks/",
    "/v1/sources//clicks",
    "/v1/sources/clicks/x",
    "/v1/sources/a%2Fb",
    "/v1/sources/clicks%2F..",
    "/v1/sources/%00",
    "/v1/sources/%zz",
    "/v1/sources/%ff",
    "/v1/sources/__proto__",
    "/v1/sources/constructor",
    `/v1/sources/${"x".repeat(20_000)}`,
  ])("answers 404 to %.60s", async (path) => {
    const answer = await new Door().post({ url: "/a" }, {}, path);
    expect(answer.status).toBe(404);
    expect(answer.text.length).toBeLessThan(1000);
  });

  it("answers 503 when the query Worker fails", async () => {
    const door = new Door({ QUERY: { fetch: () => Promise.reject(new Error("internals")) } });
    const answer = await door.fetch("/v1/views");
    expect(answer.status).toBe(503);
    expect(answer.text).not.toMatch(/internals/);
  });
});
