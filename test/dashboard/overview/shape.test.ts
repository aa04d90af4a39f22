/** Judges values that the page knows nothing of: numbers, records, top lists, states, times. */
import { expect, it } from "vitest";
import {
  columnsOf,
  latestOf,
  momentOf,
  rankedOf,
  shapeOf,
} from "../../../workers/dashboard/overview/shape.ts";

it("judges the values of a view", () => {
  expect(shapeOf([])).toBeUndefined();
  expect(shapeOf([1, 2.5])).toBe("numbers");
  expect(shapeOf([1, null])).toBe("numbers");
  expect(shapeOf([{ a: 1 }])).toBe("records");
  expect(shapeOf([[1], []])).toBe("lists");
  expect(shapeOf(["a", true])).toBe("texts");
  expect(shapeOf([1, "a"])).toBe("mixed");
  expect(shapeOf([null])).toBe("mixed");
});

it("knows the lists of top and of topResults, and no others", () => {
  expect(rankedOf([{ item: "/a", count: 3 }])).toEqual([{ key: "/a", value: 3 }]);
  expect(rankedOf([{ key: "/a", value: 3 }])).toEqual([{ key: "/a", value: 3 }]);
  expect(rankedOf([{ from: "a", to: "b", value: 1 }])).toBeUndefined();
  expect(rankedOf([1, 2])).toBeUndefined();
  expect(rankedOf([])).toBeUndefined();
  expect(rankedOf("/a")).toBeUndefined();
});

it("takes the columns from the records, the state apart, without what repeats the key", () => {
  const entries = [
    { key: "s1", value: { sensor: "s1", kind: "raised", at: 1 } },
    { key: "s2", value: { sensor: "s2", kind: "resolved", at: 2, note: "x" } },
    { key: "s3", value: null },
  ];
  expect(columnsOf(entries)).toEqual({ state: "kind", fields: ["at", "note"] });
  expect(columnsOf([{ key: "a", value: { readings: 1, average: 2 } }])).toEqual({
    fields: ["readings", "average"],
  });
  expect(columnsOf([])).toEqual({ fields: [] });
});

it("takes for a moment only what can hardly be anything else", () => {
  expect(momentOf(1_795_704_218_706)).toBe(1_795_704_218_706);
  expect(momentOf("2026-11-26T14:42:00.000Z")).toBe(Date.UTC(2026, 10, 26, 14, 42));
  for (const other of [12, 1.5e12 + 0.5, 9e15, "2026", "yes", null, true])
    expect(momentOf(other)).toBeUndefined();
  expect(latestOf({ a: 1_795_704_218_706, b: 1_795_704_218_707, c: 3 })).toBe(1_795_704_218_707);
  expect(latestOf("x")).toBe(0);
});
