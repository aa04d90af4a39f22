/** The order of what a step gave: by what it goes back to, whatever shard it came from. */
import { expect, test } from "vitest";
import { compareIds, inOrder } from "../../src/testing/order.ts";

const event = (id: string, data: unknown = id, key?: string) => ({
  id,
  time: 0,
  data,
  ...(key === undefined ? {} : { key }),
});

test("numbers in ids count as numbers", () => {
  const ids = ["clicks.10", "clicks.9/2", "clicks.9", "clicks.9/10", "clicks.9-1", "a", "clicks.09"];
  expect(ids.toSorted(compareIds)).toEqual([
    "a",
    "clicks.09",
    "clicks.9",
    "clicks.9-1",
    "clicks.9/2",
    "clicks.9/10",
    "clicks.10",
  ]);
});

test("events are in the order of their ids, and of their content where ids are the same", () => {
  const events = [event("s.2"), event("s.1/1"), event("s.1", "b"), event("s.1", "a")];
  const order = [event("s.1", "a"), event("s.1", "b"), event("s.1/1"), event("s.2")];
  expect(inOrder(events, new Set())).toEqual(order);
  expect(inOrder(events.toReversed(), new Set())).toEqual(order);
});

test("changes of an aggregate are in the order of their keys, those of one key as they came", () => {
  const one = [
    event("views/0.1.0", { key: "b", value: 1 }),
    event("views/0.1.1", { key: "a", value: 9 }),
    event("views/0.2.0", { key: "a", value: 10 }),
  ];
  const two = [
    event("views/1.7.0", { key: "a", value: 9 }),
    event("views/0.5.0", { key: "b", value: 1 }),
    event("views/1.8.0", { key: "a", value: 10 }),
  ];
  const values = [9, 10, 1];
  for (const events of [one, two]) {
    const ordered = inOrder(events, new Set(["views"]));
    expect(ordered.map(({ data }) => (data as { value: number }).value)).toEqual(values);
  }
});

test("what was made of one change stays together, in the order in which it was emitted", () => {
  const emitted = ["z", "y", "x", "a"].map((data, n) => event(`views/3.4.1${n === 0 ? "" : `/${n}`}`, data));
  const other = event("views/0.1.0", "m");
  expect(inOrder([...emitted.toReversed(), other], new Set(["views"]))).toEqual([other, ...emitted]);
});
