/** Log entry: comes back as it was written, and entries of before timers and outputs existed can still be read. */
import { expect, test } from "vitest";
import { emptyCounters } from "../../../src/engine/shard/counters.ts";
import type { LogContent } from "../../../src/engine/shard/log-entry.ts";
import { decodeEntry, encodeEntry } from "../../../src/engine/shard/log-entry.ts";
import { StateError } from "../../../src/errors.ts";
import { NOW, P, Q } from "../support.ts";

const segment = {
  producer: P,
  sequence: 7,
  kind: 0,
  source: "clicks",
  arrival: NOW,
  counted: 9,
  settled: 8,
  open: false,
  late: 0,
  dead: 0,
};

const full: LogContent = {
  segments: [segment, { ...segment, producer: Q, sequence: 2 ** 40, kind: 3, open: true }],
  changes: ["a", 1, "b", null, "", { deep: ["\u0000", "\ud83d\ude00", "\ud83d"] }],
  counters: {
    ...emptyCounters(),
    channels: { "b/0": { next: 3, events: 12, confirmed: 1 } },
    sink: { first: 1, last: 2, bytes: 3, opened: NOW, batches: 1, delivered: 4 },
  },
  timers: ["0001750000000000\0name\0key", 1, "0001750000000001\0name\0key", null],
  outputs: [
    { destination: "b/0", sequence: 0, arrival: NOW, events: 2, before: 0, content: '[["k",1,2],0,[]]' },
    { destination: "b/1", sequence: 5, arrival: NOW, events: 0, before: 9, content: "" },
  ],
  time: NOW + 40,
};

const raw = (data: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(data));
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test.each([
  ["with everything", full],
  ["without timers", { ...full, timers: [] }],
  ["without outputs", { ...full, outputs: [] }],
  ["with neither", { ...full, timers: [], outputs: [] }],
  ["without a time", { ...full, time: undefined }],
  ["with late and dead events", { ...full, segments: [{ ...segment, late: 2, dead: 1 }] }],
  ["with dead events, and open", { ...full, segments: [{ ...segment, dead: 1, open: true }] }],
  [
    "of nothing but counters",
    { ...full, segments: [], changes: [], timers: [], outputs: [], time: undefined },
  ],
] as const)("an entry %s comes back as it was", (_what, content) => {
  expect(decodeEntry(encodeEntry(content))).toEqual(content);
});

test("what has no timers, no outputs and no time is written in the short form of before they existed", () => {
  const data = encodeEntry({ ...full, segments: [segment], timers: [], outputs: [], time: undefined });
  expect(raw(data)).toEqual([
    1,
    [[P, 7, 0, "clicks", NOW, 9, 8]],
    full.changes,
    JSON.parse(JSON.stringify(full.counters)),
  ]);
});

test("the time costs a few bytes, and late and dead none where there are none", () => {
  const data = encodeEntry({ ...full, segments: [segment], timers: [], outputs: [] });
  expect(raw(data)).toEqual([
    1,
    [[P, 7, 0, "clicks", NOW, 9, 8]],
    full.changes,
    JSON.parse(JSON.stringify(full.counters)),
    [],
    [],
    NOW + 40,
  ]);
});

test("an entry of the short form reads as one without timers, outputs and time", () => {
  const counters = emptyCounters();
  expect(decodeEntry(bytes([1, [[P, 7, 0, "clicks", NOW, 9, 8]], ["a", 1], counters]))).toEqual({
    segments: [segment],
    changes: ["a", 1],
    counters,
    timers: [],
    outputs: [],
    time: undefined,
  });
});

test("another format is refused by its number", () => {
  expect(() => decodeEntry(bytes([2, [], [], {}]))).toThrow(StateError);
  expect(() => decodeEntry(bytes([2, [], [], {}]))).toThrow(/format 2; this code knows 1/);
});
