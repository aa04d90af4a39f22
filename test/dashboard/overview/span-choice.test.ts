/** Reads a span of time from an address, whatever stands in it. */
import { expect, it } from "vitest";
import { chosenSpan, localText } from "../../../workers/dashboard/overview/span-choice.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;

it("is the last hour, live, unless the address says otherwise", () => {
  for (const params of [{}, { last: "7" }, { from: "never" }, { from: "2026-01-02", to: "2026-01-01" }]) {
    const chosen = chosenSpan(params);
    expect(chosen).toMatchObject({ from: "-3600s", live: true });
    expect(chosen.bounds(NOON)).toEqual([NOON - HOUR, NOON]);
  }
});

it("takes one of the spans that end now", () => {
  const chosen = chosenSpan({ last: String(6 * HOUR) });
  expect(chosen).toMatchObject({ from: "-21600s", live: true });
  expect(chosen.bounds(NOON)).toEqual([NOON - 6 * HOUR, NOON]);
});

it("takes two moments, which are not live", () => {
  const [from, to] = ["2026-01-01T10:00:00.000Z", "2026-01-01T11:00:00.000Z"];
  const chosen = chosenSpan({ from, to });
  expect(chosen).toMatchObject({ from, to, live: false });
  expect(chosen.bounds(NOON)).toEqual([NOON - 2 * HOUR, NOON - HOUR]);
  expect(chosenSpan({ from }).bounds(NOON)).toEqual([NOON - 2 * HOUR, NOON]);
});

it("writes a moment as a form has it, and back", () => {
  expect(Date.parse(localText(NOON))).toBe(NOON);
});
