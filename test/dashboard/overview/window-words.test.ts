/** Says what each kind of windows is, from the signature that the engine gives it. */
import { expect, it } from "vitest";
import { countWindow, globalWindow, hopping, session, tumbling } from "../../../src/index.ts";
import { ago, span, windowForm } from "../../../workers/dashboard/overview/window-words.ts";

it.each([
  [tumbling("1 minute"), "tumbling", "each minute", 60_000],
  [tumbling("10 seconds", { time: "processing" }), "tumbling", "each 10 seconds", 10_000],
  [hopping("1 minute", "10 seconds"), "hopping", "the last minute, every 10 seconds", 10_000],
  [session("30 minutes"), "session", "sessions with less than 30 minutes between events", undefined],
  [globalWindow(), "global", "all time", undefined],
  [countWindow(100, 10), "count", "the last 100 events of a key, every 10", undefined],
  [countWindow(100), "count", "each 100 events of a key", undefined],
])("knows %o", ({ signature }, kind, words, stepMs) => {
  expect(windowForm(signature)).toMatchObject({ kind, words, ...(stepMs && { stepMs }) });
});

it("lets a user's own windows speak for themselves", () => {
  expect(windowForm("shifts@1")).toEqual({ kind: "other", words: "shifts@1" });
});

it("names spans by their largest whole unit", () => {
  expect([1, 1500, 60_000, 90_000, 86_400_000].map((ms) => span(ms))).toEqual([
    "1 millisecond",
    "1500 milliseconds",
    "1 minute",
    "90 seconds",
    "1 day",
  ]);
  expect(ago(90_500)).toBe("-91s");
});
