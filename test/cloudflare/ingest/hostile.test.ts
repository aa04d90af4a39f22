import { describe, expect, it } from "vitest";
import { compressed, Door } from "./fakes.ts";

const text = { "content-type": "text/plain" };
const lines = { "content-type": "application/x-ndjson" };
const MIB = 1024 * 1024;

describe("content types", () => {
  it.each([
    ["application/json", '{"url":"/a"}'],
    ["application/json; charset=UTF-8", ' [{"url":"/a"}]\n'],
    ["APPLICATION/JSON", '"/a"'],
    ["application/x-ndjson", '{"url":"/a"}\r\n\r\n'],
    ["application/x-ndjson", '{"url":"/a"}'],
    ["text/plain", "/a"],
    ["text/plain;charset=utf-8", "/a\r\n"],
    ["text/plain", '{"url":"/a"}'],
    ["text/plain", '\ufeff[{"url":"/a"}]'],
    ["", "/a"],
  ])("takes %s", async (type, body) => {
    const door = new Door();
    const bytes = new TextEncoder().encode(body);
    const answer = await door.fetch("/v1/sources/clicks", {
      method: "POST",
      body: bytes,
      headers: type === "" ? {} : { "content-type": type },
    });
    expect(answer.status).toBe(202);
    expect(door.clicks.counts).toEqual({ "/a": 1 });
  });

  it.each([
    "image/png",
    "application/x-www-form-urlencoded",
    "text/html",
    "nonsense",
    "text/plain; charset=latin1",
    ";",
  ])("refuses %s", async (type) => {
    const answer = await new Door().post("/a", { "content-type": type });
    expect(answer.status).toBe(415);
    expect(answer.headers.get("accept-post")).toMatch(/application\/json/);
  });

  it("counts lines from 0, blank ones too, and rejects line by line", async () => {
    const door = new Door();
    const answer = await door.post('\n{"url":"/a"}\n   \n{"url":\n\n{"url":"/b"}\n[1]', lines);
    expect(answer.status).toBe(202);
    expect(answer.body.accepted).toBe(2);
    expect(answer.body.rejected).toEqual([
      { index: 3, error: "not JSON: syntax error at byte 7 of the line" },
      { index: 6, error: expect.any(String) },
    ]);
    expect((await door.post("\n/x\n\n/y", text)).body.accepted).toBe(2);
  });

  it("does not take broken JSON under text/plain for a line of text", async () => {
    const door = new Door();
    const answer = await door.post('{"url":"/a"', text);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(/byte 11.*taken as JSON/);
    expect(door.clicks.sends).toEqual([]);
  });
});

describe("broken bodies", () => {
  it.each([
    ["", /no event/],
    ["   \n ", /no event/],
    ["[]", /no event/],
    ['{"url": }', /byte 8\b/],
    ['{"url":"é" x', /byte 12\b/],
    ["[1,]", /byte 3\b/],
    ["nul", /byte 0\b/],
  ])("refuses %j and says where", async (body, detail) => {
    const door = new Door();
    const answer = await door.post(body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(detail);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it("refuses no body at all, under every type", async () => {
    for (const type of ["application/json", "application/x-ndjson", "text/plain"]) {
      const answer = await new Door().fetch("/v1/sources/clicks", {
        method: "POST",
        headers: { "content-type": type },
      });
      expect(answer.status).toBe(400);
    }
  });

  it("refuses invalid UTF-8", async () => {
    const answer = await new Door().post(new Uint8Array([0x22, 0xff, 0x22]), text);
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/UTF-8/) } });
  });

  it("refuses a body that breaks off", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"url":'));
        controller.error(new Error("connection lost"));
      },
    });
    expect((await new Door().post(body)).status).toBe(400);
  });
});

describe("sizes", () => {
  it("takes 2 MiB and refuses one byte more", async () => {
    const door = new Door();
    const fits = `${"\n".repeat(2 * MIB - 2)}/a`;
    expect((await door.post(fits, text)).status).toBe(202);
    const answer = await door.post(`${fits}b`, text);
    expect(answer).toMatchObject({ status: 413, body: { limit: 2 * MIB } });
  });

  it("refuses 10 MB", async () => {
    expect((await new Door().post("x".repeat(10_000_000), text)).status).toBe(413);
  });

  it("takes 10,000 records and refuses one more", async () => {
    const door = new Door();
    expect((await door.post("/a\n".repeat(10_000), text)).body.accepted).toBe(10_000);
    expect((await door.post("/a\n".repeat(10_001), text)).status).toBe(413);
    expect((await door.post(Array(10_001).fill("/a"))).status).toBe(413);
    expect(door.clicks.counts).toEqual({ "/a": 10_000 });
  });

  it("refuses events that do not fit one send", async () => {
    const events = Array.from({ length: 1000 }, (_, n) => ({ url: `/${n}/${"é".repeat(500)}` }));
    const answer = await new Door().post(events);
    expect(answer).toMatchObject({
      status: 413,
      body: { detail: expect.stringMatching(/smaller requests/) },
    });
  });
});

describe("encodings", () => {
  it.each(["gzip", "deflate"] as const)("inflates %s", async (encoding) => {
    const door = new Door();
    const body = await compressed('{"url":"/a"}', encoding);
    expect((await door.post(body, { "content-encoding": encoding })).status).toBe(202);
    expect(door.clicks.counts).toEqual({ "/a": 1 });
  });

  it.each(["br", "zstd", "compress", "gzip, gzip", "nonsense"])("refuses %s", async (encoding) => {
    const answer = await new Door().post("x", { "content-encoding": encoding });
    expect(answer.status).toBe(415);
    expect(answer.headers.get("accept-encoding")).toBe("gzip, deflate");
  });

  it("refuses what is cut short, is no gzip at all, or has more behind it", async () => {
    const whole = await compressed('{"url":"/a"}', "gzip");
    const damaged = whole.slice();
    damaged[whole.length - 6] = (damaged[whole.length - 6] ?? 0) ^ 1;
    const trailed = new Uint8Array([...whole, 1, 2, 3]);
    for (const body of [
      whole.slice(0, -1),
      whole.slice(0, 12),
      new Uint8Array([1, 2, 3]),
      damaged,
      trailed,
    ]) {
      const door = new Door();
      expect((await door.post(body, { "content-encoding": "gzip" })).status).toBe(400);
      expect(door.clicks.sends).toEqual([]);
    }
  });

  it("stops inflating a bomb at the limit", async () => {
    const bomb = await compressed(new Uint8Array(64 * MIB), "gzip");
    expect(bomb.length).toBeLessThan(100_000);
    const answer = await new Door().post(bomb, { "content-encoding": "gzip" });
    expect(answer).toMatchObject({ status: 413, body: { detail: expect.stringMatching(/inflated/) } });
  });
});

describe("hostile values", () => {
  it("counts names that mean something to JavaScript like any other", async () => {
    const door = new Door();
    const urls = ["__proto__", "constructor", "toString", "hasOwnProperty", "\u0000", "/a\u0000b"];
    const answer = await door.post(urls.map((url) => ({ url })));
    expect(answer.body).toMatchObject({ accepted: urls.length, rejected: [] });
    const keys = door.clicks.segments.flatMap((s) =>
      s.parts.flatMap((p) => p.byShard.flatMap((b) => b.records.filter((_, i) => i % 3 === 0))),
    );
    expect(keys.sort()).toEqual([...urls].sort());
  });

  it("is not fooled by such fields", async () => {
    const door = new Door();
    const body =
      '[{"__proto__":{"url":"/x"}},{"constructor":{"url":"/x"}},{"url":"/a","__proto__":{"id":"x"}}]';
    const answer = await door.post(body);
    expect(answer.body.accepted).toBe(1);
    expect(answer.body.rejected).toHaveLength(2);
    expect(({} as { url?: string }).url).toBeUndefined();
  });

  it.each([
    ["half of a surrogate pair", '{"url":"\\ud800"}', 400],
    ["an empty URL", '{"url":""}', 400],
    ["a number for a URL", '{"url":1e999}', 400],
    ["a boolean", "true", 400],
    ["a 3,000-character URL", `{"url":"${"x".repeat(3000)}"}`, 413],
    ["a time in the far future", '{"url":"/a","time":9e15}', 400],
    ["a time before 1970", '{"url":"/a","time":-1}', 400],
    ["an empty id", '{"url":"/a","id":""}', 400],
    ["100,000 brackets", "[".repeat(100_000) + "]".repeat(100_000), 400],
    ["100,000 open brackets", "[".repeat(100_000), 400],
    ["100,000 objects", `${'{"url":'.repeat(100_000)}1${"}".repeat(100_000)}`, 400],
    ["200,000 keys", `{${Array.from({ length: 200_000 }, (_, n) => `"${n}":0`).join(",")}}`, 400],
  ])("refuses %s", async (_name, body, status) => {
    const door = new Door();
    expect((await door.post(body)).status).toBe(status);
    expect(door.clicks.sends).toEqual([]);
    const deep = await door.post(body, {}, "/v1/sources/things");
    expect(deep.status).toBeLessThan(500);
  });

  it("takes nesting up to its limit, of any source", async () => {
    const door = new Door();
    const nested = (levels: number) => `[${"[".repeat(levels)}${"]".repeat(levels)}]`;
    expect((await door.post(nested(100), {}, "/v1/sources/things")).status).toBe(202);
    const answer = await door.post(nested(101), {}, "/v1/sources/things");
    expect(answer.status).toBe(400);
    expect(answer.body.rejected).toEqual([{ index: 0, error: "nested more than 100 levels deep" }]);
  });
});
