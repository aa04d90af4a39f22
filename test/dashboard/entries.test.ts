/** What a page holds of a view, after snapshots and changes. */
import { describe, expect, test } from "vitest";
import { type Held, idOf, type LiveMessage, merge, NOTHING } from "../../workers/dashboard/api/entries.ts";

const RANKED = true;

function holding(messages: readonly LiveMessage[], ranked = RANKED): Held {
  return messages.reduce((held, message) => merge(held, message, ranked), NOTHING);
}

const values = ({ entries }: Held) => entries.map(({ key, value }) => `${key}=${value}`).join(" ");

const FIRST: LiveMessage = {
  type: "snapshot",
  entries: [
    { key: "b", value: 5 },
    { key: "a", value: 3 },
    { key: "c", value: 3 },
  ],
};

describe("of a top list", () => {
  test("a change moves what has changed, ties by key", () => {
    const now = holding([
      FIRST,
      {
        type: "change",
        entries: [
          { key: "c", value: 9 },
          { key: "d", value: 3 },
        ],
      },
    ]);
    expect(values(now)).toBe("c=9 b=5 a=3 d=3");
    expect([...now.changed].sort()).toEqual(["c", "d"]);
  });

  test("what is gone is taken out", () => {
    expect(values(holding([FIRST, { type: "change", gone: [{ key: "b" }, { key: "nobody" }] }]))).toBe(
      "a=3 c=3",
    );
  });

  test("what is no number comes last", () => {
    const now = holding([FIRST, { type: "change", entries: [{ key: "z", value: "text" }] }]);
    expect(values(now)).toBe("b=5 a=3 c=3 z=text");
  });
});

describe("a snapshot", () => {
  test("replaces everything, at any time", () => {
    const now = holding([FIRST, { type: "snapshot", entries: [{ key: "a", value: 4 }] }]);
    expect(values(now)).toBe("a=4");
  });

  test("that comes first touches nothing, and one after a break what has changed meanwhile", () => {
    expect(holding([FIRST]).changed.size).toBe(0);
    const again: LiveMessage = {
      type: "snapshot",
      entries: [
        { key: "b", value: 5 },
        { key: "a", value: 4 },
        { key: "new", value: 1 },
      ],
    };
    expect([...holding([FIRST, again]).changed].sort()).toEqual(["a", "new"]);
  });

  test("is taken in the order in which it came", () => {
    expect(values(holding([FIRST], false))).toBe("b=5 a=3 c=3");
  });
});

describe("of windows", () => {
  const at = (minute: number, minutes = 1) => ({
    start: new Date(minute * 60_000).toISOString(),
    end: new Date((minute + minutes) * 60_000).toISOString(),
  });

  test("entries are told apart by their window, and go by its end, then the shorter one, then value or key", () => {
    const messages: LiveMessage[] = [
      { type: "snapshot", entries: [{ key: "a", window: at(1), value: 1, final: true }] },
      {
        type: "change",
        entries: [
          { key: "b", window: at(1), value: 7, final: false },
          { key: "a", window: at(2), value: 2, final: false },
          { key: "z", window: at(0, 2), value: 9, final: false },
          { key: "a", window: at(0), value: 4, final: true },
        ],
        gone: [],
      },
    ];
    const shown = (held: Held) =>
      held.entries.map(({ key, window }) => `${key}@${window?.start.slice(14, 16)}`);
    expect(shown(holding(messages, RANKED))).toEqual(["a@00", "b@01", "a@01", "z@00", "a@02"]);
    expect(shown(holding(messages, false))).toEqual(["a@00", "a@01", "b@01", "z@00", "a@02"]);
  });

  test("only the window that is gone is taken out", () => {
    const entries = [1, 2].map((minute) => ({ key: "a", window: at(minute), value: minute, final: false }));
    const now = holding([
      { type: "snapshot", entries },
      { type: "change", gone: [{ key: "a", window: at(1) }] },
    ]);
    expect(now.entries).toEqual([entries[1]]);
    expect(idOf(entries[0] ?? { key: "" })).not.toBe(idOf(entries[1] ?? { key: "" }));
  });
});

test("a total is the last one that came", () => {
  const now = holding([
    { type: "snapshot", total: { keys: 1, total: 2 } },
    { type: "change", total: { keys: 2, total: 5, overflow: 1 } },
    { type: "change", entries: [{ key: "a", value: 1 }] },
  ]);
  expect(now.total).toEqual({ keys: 2, total: 5, overflow: 1 });
});

test("a problem changes nothing of what is shown", () => {
  const now = holding([FIRST]);
  expect(merge(now, { type: "problem", detail: "a shard does not answer" }, RANKED)).toBe(now);
});
