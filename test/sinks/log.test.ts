/** log: one line an event, on the level and in the format that are asked for. */
import { afterEach, expect, test, vi } from "vitest";
import { log } from "../../src/index.ts";
import { clicksOf, SinkRun } from "./support.ts";

afterEach(() => vi.restoreAllMocks());

test("writes name and event as JSON, a line each", async () => {
  const lines = vi.spyOn(console, "log").mockImplementation(() => undefined);
  await new SinkRun(log("debug"), { keyed: true }).send(clicksOf(2));
  const [[first], [second]] = lines.mock.calls as [[string], [string]];
  expect(JSON.parse(first.slice("debug ".length))).toEqual({
    id: expect.stringMatching(/./),
    time: "2026-11-26T08:15:30.000Z",
    key: "user-0",
    data: { user: "user-0", url: "/0" },
  });
  expect(second).toMatch(/^debug \{.*"\/1"\}\}$/);
  expect(lines).toHaveBeenCalledTimes(2);
});

test("takes a level and a format", async () => {
  const lines = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const sink = log<{ url: string }>("slow", { level: "warn", format: ({ data }) => `saw ${data.url}` });
  await new SinkRun(sink).send(clicksOf(2));
  expect(lines.mock.calls).toEqual([["saw /0"], ["saw /1"]]);
});
