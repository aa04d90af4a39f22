/** CommitLog: the ring wraps, large entries take several rows, and whatever a crash leaves replays whole or is an error. */
import { describe, expect, test } from "vitest";
import { StateError } from "../../src/errors.ts";
import { CommitLog } from "../../src/state/commit-log.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { MAX_ROW_BYTES } from "../../src/state/store.ts";
import { Random } from "../simulation/random.ts";

const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value);

function lsns(store: MemoryStore, above: number, capacity = 8): number[] {
  return new CommitLog(store, capacity).replay(above).map((entry) => entry.lsn);
}

test("an empty log replays nothing", () => {
  expect(lsns(new MemoryStore(), 0)).toEqual([]);
});

test("entries replay in order, with their bytes, the empty one too", () => {
  const store = new MemoryStore();
  const log = new CommitLog(store, 4);
  log.append(1, bytes(0));
  log.append(2, bytes(3, 7));
  expect(new CommitLog(store, 4).replay(0)).toEqual([
    { lsn: 1, data: bytes(0) },
    { lsn: 2, data: bytes(3, 7) },
  ]);
});

test("a full ring has no room, refuses, and takes more once a checkpoint gave slots back", () => {
  const store = new MemoryStore();
  const log = new CommitLog(store, 3);
  for (const lsn of [1, 2, 3]) log.append(lsn, bytes(1, lsn));
  expect(log.roomFor(bytes(1))).toBe(false);
  expect(() => log.append(4, bytes(1))).toThrow(StateError);
  expect(lsns(store, 0, 3)).toEqual([1, 2, 3]);
  log.release(1);
  expect(log.rows).toBe(2);
  log.append(4, bytes(1, 4));
  expect(log.roomFor(bytes(1))).toBe(false);
  expect(lsns(store, 1, 3)).toEqual([2, 3, 4]);
  log.release(4);
  expect([log.rows, log.bytes]).toEqual([0, 0]);
});

test("bytes grow with what is appended, and after a wake too", () => {
  const store = new MemoryStore();
  const log = new CommitLog(store);
  log.append(1, bytes(10));
  log.append(2, bytes(20));
  expect(log.bytes).toBe(30);
  const woken = new CommitLog(store);
  woken.replay(0);
  expect([woken.bytes, woken.rows]).toEqual([30, 2]);
});

describe("an entry over one row", () => {
  test.each([MAX_ROW_BYTES - 1, MAX_ROW_BYTES, MAX_ROW_BYTES + 1, MAX_ROW_BYTES * 2, MAX_ROW_BYTES * 2 + 1])(
    "of %i bytes comes back whole",
    (length) => {
      const store = new MemoryStore();
      const log = new CommitLog(store, 4);
      const data = bytes(length);
      data[0] = 9;
      data[length - 1] = 8;
      log.append(1, data);
      log.append(2, bytes(1));
      expect(log.rows).toBe(Math.ceil(length / MAX_ROW_BYTES) + 1);
      const [entry] = new CommitLog(store, 4).replay(0);
      expect(entry?.data.length).toBe(length);
      expect(Buffer.compare(entry?.data as Uint8Array, data)).toBe(0);
    },
  );

  test("is refused whole when the ring has room for a part of it only", () => {
    const log = new CommitLog(new MemoryStore(), 3);
    log.append(1, bytes(1));
    log.append(2, bytes(1));
    expect(log.roomFor(bytes(MAX_ROW_BYTES + 1))).toBe(false);
    expect(() => log.append(3, bytes(MAX_ROW_BYTES + 1))).toThrow(StateError);
  });

  test("that lacks a part is an error, not a shorter entry", () => {
    const data = bytes(1);
    const row = (slot: number, lsn: number, part: number, parts: number) => ({
      slot,
      lsn,
      part,
      parts,
      data,
    });
    for (const rows of [
      [row(0, 1, 0, 2)],
      [row(0, 1, 1, 2)],
      [row(0, 1, 0, 3), row(1, 1, 2, 3)],
      [row(0, 1, 0, 2), row(1, 2, 0, 1)],
    ]) {
      const store = new MemoryStore();
      for (const one of rows) store.writeLog(one);
      expect(() => new CommitLog(store).replay(0)).toThrow(StateError);
    }
  });
});

test("a missing entry is an error that names it, at the start too", () => {
  const store = new MemoryStore();
  const log = new CommitLog(store, 8);
  for (const lsn of [1, 2, 3]) log.append(lsn, bytes(1));
  store.writeLog({ slot: 1, lsn: 4, part: 0, parts: 1, data: bytes(1) });
  expect(() => new CommitLog(store).replay(0)).toThrow(/gap: expected entry 2/);
  expect(() => new CommitLog(store).replay(1)).toThrow(/gap: expected entry 2/);
  expect(lsns(store, 2)).toEqual([3, 4]);
});

test("a ring that a deploy made smaller goes on", () => {
  const store = new MemoryStore();
  const log = new CommitLog(store, 8);
  for (let lsn = 1; lsn <= 6; lsn++) log.append(lsn, bytes(1));
  const smaller = new CommitLog(store, 3);
  expect(smaller.replay(0).length).toBe(6);
  expect(smaller.roomFor(bytes(1))).toBe(false);
  smaller.release(6);
  for (let lsn = 7; lsn <= 9; lsn++) smaller.append(lsn, bytes(1));
  expect(lsns(store, 6, 3)).toEqual([7, 8, 9]);
});

test.each(Array.from({ length: 30 }, (_, n) => n + 1))(
  "replays all above the checkpoint after any crash (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const capacity = random.int(2, 9);
    const store = new MemoryStore();
    const expected = new Map<number, Uint8Array>();
    let log = new CommitLog(store, capacity);
    let released = 0;
    let lsn = 0;
    for (let step = 0; step < 200; step++) {
      const data = bytes(random.chance(0.03) ? MAX_ROW_BYTES + 5 : random.int(0, 9), random.int(0, 255));
      if (log.roomFor(data)) {
        if (random.chance(0.1)) {
          // The transaction fails: nothing was written, and the instance is thrown away.
          expect(() =>
            store.transaction(() => {
              log.append(lsn + 1, data);
              throw new Error("crash");
            }),
          ).toThrow("crash");
          log = new CommitLog(store, capacity);
          log.replay(released);
          continue;
        }
        log.append(++lsn, data);
        expected.set(lsn, data);
      } else {
        released = random.int(released + 1, lsn);
        log.release(released);
      }
      if (random.chance(0.2)) {
        log = new CommitLog(store, capacity);
        const entries = log.replay(released);
        expect(entries.map((entry) => entry.lsn)).toEqual(
          Array.from({ length: lsn - released }, (_, n) => released + 1 + n),
        );
        for (const entry of entries)
          expect(
            entry.data.length === expected.get(entry.lsn)?.length &&
              entry.data[0] === expected.get(entry.lsn)?.[0],
          ).toBe(true);
      }
    }
  },
);
