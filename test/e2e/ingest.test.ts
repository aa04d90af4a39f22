/** What of ingest only real workerd can show: its streams, its headers, its service bindings. */
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";

let runtime: Runtime;

beforeAll(async () => {
  runtime = await startRuntime({ vars: { OPEN: "yes", ALLOWED_ORIGINS: "https://shop.example" } });
});

afterAll(() => runtime?.dispose());

async function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
  path = "/v1/sources/clicks",
): Promise<{ status: number; detail: string }> {
  const init = { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
  const response = await runtime.fetch(path, init);
  const text = await response.text();
  return { status: response.status, detail: (JSON.parse(text) as { detail?: string }).detail ?? "" };
}

describe("a compressed body", () => {
  const click = '{"url":"/a"}';
  const gzip = { "content-encoding": "gzip" };

  it("is inflated", async () => {
    expect((await post(gzipSync(click), gzip)).status).toBe(202);
    expect((await post(deflateSync(click), { "content-encoding": "deflate" })).status).toBe(202);
  });

  it("that is cut short, damaged, followed by more or no gzip at all is refused", async () => {
    const whole = gzipSync(click);
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 6) ^ 1, damaged.length - 6);
    const followed = Buffer.concat([whole, whole]);
    for (const body of [whole.subarray(0, -1), whole.subarray(0, 12), damaged, followed, click, ""]) {
      expect(await post(body, gzip)).toMatchObject({
        status: 400,
        detail: expect.stringMatching(/no valid gzip/),
      });
    }
  });

  it("stops at the limit, however much it would inflate to", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect((await post(bomb, gzip)).status).toBe(413);
  });
});

describe("a sender who reads the answer only when all is sent", () => {
  const large = "x".repeat(10_000_000);

  it("gets it, whatever it is", async () => {
    expect((await post(large, { "content-type": "text/plain" })).status).toBe(413);
    expect((await post(large, { "content-type": "image/png" })).status).toBe(415);
    expect((await post(large, { "millrace-end": "1" })).status).toBe(400);
    expect((await post(large, {}, "/v1/sources/nope")).status).toBe(404);
  });
});

describe("headers", () => {
  it("that are no UTF-8 do not make two idempotency keys look the same", async () => {
    expect((await post('"/a"', { "idempotency-key": "caf\u00e9" })).status).toBe(400);
  });
});

describe("what the query Worker answers", () => {
  it("passes, with CORS headers for allowed origins", async () => {
    const from = (origin: string) => runtime.fetch("/v1/views", { headers: { origin } });
    const allowed = await from("https://shop.example");
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([
      200,
      "https://shop.example",
    ]);
    expect((await from("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("is part of one OpenAPI document with ingest", async () => {
    const response = await runtime.fetch("/openapi.json");
    const { paths } = (await response.json()) as { paths: object };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(["/v1/sources/{source}", "/v1/views/{view}"]));
  });
});
