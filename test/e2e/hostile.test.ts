/** Hostile input, in real workerd: never a 5xx, never a wrong count. */
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import type { Answer } from "./client.ts";
import { applied, get, json, post, request, total } from "./client.ts";

let runtime: Runtime;
const accepted: Answer[] = [];

beforeAll(async () => {
  runtime = await startRuntime({});
});

afterAll(async () => {
  // Whatever was thrown at it: what got 202 is counted, and nothing else is.
  await applied(runtime, accepted);
  const expected = accepted.reduce((sum, { body }) => sum + (body.accepted ?? 0), 0);
  expect((await total(runtime)).total).toBe(expected);
  await runtime.dispose();
});

const JSON_TYPE = { "content-type": "application/json" };
const bytes = (...values: number[]) => Uint8Array.from(values);
const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));

const bodies: [
  name: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  status: number,
][] = [
  ["an empty body", "", JSON_TYPE, 400],
  ["an empty text", "\n\n", {}, 400],
  ["an empty array", "[]", JSON_TYPE, 400],
  ["an array of nothing useful", "[null, 1, true, [], {}]", JSON_TYPE, 400],
  ["JSON that ends too early", '[{"url":"/a"},{"url"', JSON_TYPE, 400],
  ["JSON with a stray byte", '{"url":"/a"}x', JSON_TYPE, 400],
  ["10 MB", `"${"x".repeat(10_000_000)}"`, JSON_TYPE, 413],
  ["a gzip bomb", new Uint8Array(bomb), { ...JSON_TYPE, "content-encoding": "gzip" }, 413],
  [
    "truncated gzip",
    new Uint8Array(gzipSync(json({ url: "/a" })).subarray(0, 12)),
    { ...JSON_TYPE, "content-encoding": "gzip" },
    400,
  ],
  ["gzip that is none", "/a", { "content-encoding": "gzip" }, 400],
  ["an encoding nobody knows", "/a", { "content-encoding": "br" }, 415],
  ["a type nobody takes", "<a/>", { "content-type": "application/xml" }, 415],
  ["invalid UTF-8", bytes(0x22, 0xff, 0xfe, 0x22), JSON_TYPE, 400],
  ["__proto__ as URL", json({ url: "__proto__" }), JSON_TYPE, 202],
  ["constructor as URL", json({ url: "constructor" }), JSON_TYPE, 202],
  ["__proto__ as a field", '{"__proto__":{"url":"/polluted"}}', JSON_TYPE, 400],
  ["a 3,000-character URL", json({ url: `/${"x".repeat(3000)}` }), JSON_TYPE, 413],
  ["a NUL", json({ url: "/nul\u0000byte" }), JSON_TYPE, 202],
  ["a lone surrogate", '{"url":"/\\ud800"}', JSON_TYPE, 400],
  [
    "wrong types",
    json([{ url: 1 }, { url: null }, { url: {} }, { url: [] }, "", { url: "" }]),
    JSON_TYPE,
    400,
  ],
  [
    "a time that is none",
    json([
      { url: "/a", time: Number.MAX_VALUE },
      { url: "/a", time: "now" },
    ]),
    JSON_TYPE,
    400,
  ],
  ["a time in the year 9999", json({ url: "/a", time: "9999-01-01T00:00:00Z" }), JSON_TYPE, 400],
  ["deep nesting", "[".repeat(100_000) + "]".repeat(100_000), JSON_TYPE, 400],
  [
    "a million keys",
    `{${Array.from({ length: 1_000_000 }, (_, n) => `"k${n}":1`).join(",")}}`,
    JSON_TYPE,
    413,
  ],
  ["more events than a request may have", "/a\n".repeat(20_000), {}, 413],
  ["a producer without a sequence", "/a", { "millrace-producer": "p" }, 400],
  ["a sequence that is none", "/a", { "millrace-producer": "p", "millrace-sequence": "-1" }, 400],
  [
    "a sequence beyond all numbers",
    "/a",
    { "millrace-producer": "p", "millrace-sequence": "99999999999999999999" },
    400,
  ],
  [
    "two identities",
    "/a",
    { "millrace-producer": "p", "millrace-sequence": "0", "idempotency-key": "k" },
    400,
  ],
  ["an idempotency key that is too long", "/a", { "idempotency-key": "k".repeat(300) }, 400],
];

it.each(bodies)("%s", async (_name, body, headers, status) => {
  const answer = await post(runtime, body, headers);
  expect(answer.status, answer.text.slice(0, 300)).toBe(status);
  if (status === 202) {
    accepted.push(answer);
  } else {
    expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(answer.body.detail).toEqual(expect.any(String));
    expect(answer.text).not.toMatch(/\bat .*\.(ts|js):\d+/);
  }
});

it("takes many distinct URLs, in requests of what fits", async () => {
  for (let request = 0; request < 20; request++) {
    const urls = Array.from({ length: 2_000 }, (_, n) => `/distinct/${request}/${n}`).join("\n");
    const answer = await post(runtime, urls, {});
    expect(answer.status).toBe(202);
    accepted.push(answer);
  }
});

it.each([
  ["GET", "/v1/sources/clicks", 405],
  ["PUT", "/v1/sources/clicks", 405],
  ["DELETE", "/v1/sources/clicks", 405],
  ["POST", "/v1/sources/nothing", 404],
  ["POST", "/v1/sources/__proto__", 404],
  ["POST", "/v1/sources/constructor", 404],
  ["POST", "/v1/sources/", 404],
  ["POST", "/v1/sources/clicks/../../x", 404],
  ["POST", "/v1/sources/%2e%2e%2fclicks", 404],
  ["POST", "/v1//sources/clicks", 404],
  ["POST", "/v1/sources/clicks%00", 404],
  ["POST", `/v1/sources/${"x".repeat(5000)}`, 404],
  ["POST", "/v1/views/page-views", 405],
  ["GET", "/v1/views/nothing", 404],
  ["GET", "/v1/views/page-views?key=/never-seen", 404],
  ["GET", "/v1/views/page-views?top=-1", 400],
  ["GET", "/v1/views/page-views?top=many", 400],
  ["GET", "/v1/views/page-views?top=1&key=/a", 400],
  ["GET", "/v1/views/page-views?cursor=%21%21", 400],
  ["GET", "/v1/views/page-views?prefix=%ff&limit=0", 400],
  ["GET", "/v1/tickets/nonsense", 404],
  ["GET", "/v1/nothing", 404],
  ["GET", "/nothing", 404],
] as const)("%s %.60s is %d", async (method, path, status) => {
  const answer = await request(runtime, path, { method, ...(method === "GET" ? {} : { body: "/a" }) });
  expect(answer.status, answer.text.slice(0, 300)).toBe(status);
  expect(answer.body.detail).toEqual(expect.any(String));
  if (status === 405) expect(answer.headers.get("allow")).toBeTruthy();
});

it("survives what is not HTTP", async () => {
  const { hostname, port } = runtime.url;
  for (const garbage of [
    "\0\0\0\0\r\n\r\n",
    "GET\r\n\r\n",
    `POST /v1/sources/clicks HTTP/1.1\r\ncontent-length: 5\r\n\r\n`,
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end(garbage));
      socket.on("close", () => resolve());
      socket.on("error", () => resolve());
      socket.setTimeout(500, () => socket.destroy());
      socket.resume();
    });
  }
  expect((await get(runtime, "/v1/health")).status).toBe(200);
});
