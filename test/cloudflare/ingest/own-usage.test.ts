/** OwnUsage: what no segment tells by itself is said by the next one that arrives. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Door } from "./fakes.ts";

beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

const used = (door: Door) => door.clicks.segments.map((segment) => segment.used);

describe("the next segment of a source", () => {
  it("says how many requests were refused before it, and the one after says nothing", async () => {
    const door = new Door();
    for (const body of [{ url: "/a" }, "broken", [{ no: "url" }], { url: "/b" }, { url: "/c" }])
      await door.post(body);
    expect(used(door)).toEqual([undefined, { requests: 2 }, undefined]);
  });

  it("counts a 429 as well", async () => {
    const door = new Door({ BACKLOG_HIGH_WATER: "10" });
    door.clicks.backlog = 10_000;
    expect((await door.post({ url: "/a" })).status).toBe(429);
    door.clicks.backlog = 0;
    door.clock.advance(60_000);
    expect((await door.post({ url: "/b" })).status).toBe(202);
    expect(used(door)).toEqual([{ requests: 1 }]);
  });

  it("says it again when the send before did not arrive", async () => {
    const door = new Door();
    await door.post("broken");
    for (let tries = 0; tries < 10; tries++) door.clicks.script.push({ error: new Error("no") });
    expect((await door.post({ url: "/a" })).status).toBe(503);
    door.clicks.script.length = 0;
    await door.post({ url: "/b" });
    // The broken one, and the one that could not be sent.
    expect(used(door)).toEqual([{ requests: 2 }]);
  });

  it("says that a new idempotency key took a call and two rows, and one that is known a call", async () => {
    const door = new Door();
    const key = { "idempotency-key": "k" };
    await door.post({ url: "/a" }, key);
    await door.post({ url: "/a" }, key);
    expect((await door.post({ url: "/b" }, key)).status).toBe(422);
    await door.post({ url: "/c" });
    expect(used(door)).toEqual([
      { objects: 1, written: 2 },
      { objects: 1 },
      // The conflict was refused.
      { objects: 1, requests: 1 },
    ]);
  });

  it("is one of the same source", async () => {
    const door = new Door();
    await door.post("broken");
    await door.fetch("/v1/sources/things", { method: "POST", body: "x" });
    expect(door.things.segments[0]?.used).toBeUndefined();
  });
});

it("a client's number that is refused is told by the empty segment that takes it", async () => {
  const door = new Door();
  const numbered = { "millrace-producer": "p", "millrace-sequence": "0" };
  await door.post("broken");
  expect((await door.post([{ no: "url" }], numbered)).status).toBe(400);
  await door.post({ url: "/b" });
  expect(used(door)).toEqual([{ requests: 1 }, { requests: 1 }]);
});
