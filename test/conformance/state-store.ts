/** What every StateStore must do; run against each implementation. */
import { describe, expect, test } from "vitest";
import type { StateStore } from "../../src/state/store.ts";
import { MAX_ROW_BYTES } from "../../src/state/store.ts";

/** Runs a test's body where an empty store exists: in place, or inside a Durable Object. */
export type WithStore = (body: (store: StateStore) => void) => void | Promise<void>;

const bytes = (...values: number[]) => new Uint8Array(values);

function logged(store: StateStore, above = 0): unknown[] {
  return store.readLog(above).map(({ slot, lsn, part, parts, data }) => [slot, lsn, part, parts, [...data]]);
}

export function stateStoreSuite(name: string, withStore: WithStore): void {
  const check = (what: string, body: (store: StateStore) => void) => test(what, () => withStore(body));

  describe(`StateStore: ${name}`, () => {
    check("an empty store reads as empty, and reading writes nothing", (store) => {
      expect([
        store.readLog(0),
        store.listPages("state"),
        store.readPage(1),
        store.readMeta("x"),
        store.listDeadLetters(0, 10),
      ]).toEqual([[], [], undefined, undefined, []]);
      store.deleteDeadLetter(1);
      expect(store.rowsWritten).toBe(0);
    });

    check("the log reads by LSN, then part, above an LSN, whatever the slots", (store) => {
      store.writeLog({ slot: 2, lsn: 1, part: 0, parts: 1, data: bytes(1) });
      store.writeLog({ slot: 5, lsn: 2, part: 1, parts: 2, data: bytes(3) });
      store.writeLog({ slot: 9, lsn: 2, part: 0, parts: 2, data: bytes(2) });
      store.writeLog({ slot: 0, lsn: 3, part: 0, parts: 1, data: bytes() });
      expect(logged(store)).toEqual([
        [2, 1, 0, 1, [1]],
        [9, 2, 0, 2, [2]],
        [5, 2, 1, 2, [3]],
        [0, 3, 0, 1, []],
      ]);
      expect(logged(store, 2)).toEqual([[0, 3, 0, 1, []]]);
      expect(logged(store, 3)).toEqual([]);
    });

    check("a slot is written over", (store) => {
      store.writeLog({ slot: 0, lsn: 1, part: 0, parts: 2, data: bytes(1) });
      store.writeLog({ slot: 0, lsn: 2 ** 40, part: 1, parts: 3, data: bytes(2, 3) });
      expect(logged(store)).toEqual([[0, 2 ** 40, 1, 3, [2, 3]]]);
    });

    check("the log up to an LSN is emptied, once, and what is above it stays", (store) => {
      expect([store.scrubLog(9), store.rowsWritten]).toEqual([0, 0]);
      store.writeLog({ slot: 2, lsn: 1, part: 0, parts: 1, data: bytes(1) });
      store.writeLog({ slot: 5, lsn: 2, part: 1, parts: 2, data: bytes(3) });
      store.writeLog({ slot: 9, lsn: 2, part: 0, parts: 2, data: bytes(2) });
      store.writeLog({ slot: 0, lsn: 3, part: 0, parts: 1, data: bytes(4) });
      const before = store.rowsWritten;
      expect([store.scrubLog(2), store.rowsWritten - before]).toEqual([3, 3]);
      expect([store.scrubLog(2), store.rowsWritten - before]).toEqual([0, 3]);
      expect(logged(store)).toEqual([
        [2, 1, 0, 1, []],
        [9, 2, 0, 2, []],
        [5, 2, 1, 2, []],
        [0, 3, 0, 1, [4]],
      ]);
    });

    check("pages list in JavaScript's order of their first key, and are written over by id", (store) => {
      const firsts = ["", "\0", "a", "a\0b", "é", "\ud83d", "\ud83d\ude00", "\uffff"];
      const sorted = [...firsts].sort();
      [...firsts].reverse().forEach((first, n) => {
        store.writePage({ id: n + 1, first }, bytes(n));
      });
      expect(store.listPages("state").map((page) => page.first)).toEqual(sorted);
      const [page] = store.listPages("state");
      store.writePage({ id: page?.id as number, first: "" }, bytes(9, 9));
      expect(store.readPage(page?.id as number)).toEqual(bytes(9, 9));
      expect(store.listPages("state").length).toBe(firsts.length);
    });

    check("a page can be deleted, and one that is not there too", (store) => {
      store.writePage({ id: 1, first: "" }, bytes(1));
      store.writePage({ id: 2, first: "b" }, bytes(2));
      store.writePage({ id: -1, first: "" }, bytes(3));
      const before = store.rowsWritten;
      store.deletePage(2);
      store.deletePage(99);
      store.deletePage(-99);
      // A delete is billed like a write; what deletes nothing costs nothing.
      expect(store.rowsWritten - before).toBe(1);
      expect([store.readPage(1), store.readPage(2), store.readPage(-1)]).toEqual([
        bytes(1),
        undefined,
        bytes(3),
      ]);
      expect(store.listPages("state")).toEqual([{ id: 1, first: "" }]);
      store.writePage({ id: 2, first: "c" }, bytes(4));
      expect([store.readPage(2), store.listPages("state")]).toEqual([
        bytes(4),
        [
          { id: 1, first: "" },
          { id: 2, first: "c" },
        ],
      ]);
    });

    check("values beside a page stay until it is written again or deleted", (store) => {
      store.writePage({ id: 1, first: "" }, bytes(1));
      store.writePage({ id: 2, first: "b" }, bytes(2));
      store.writePage({ id: -1, first: "" }, bytes(3));
      expect([store.readValues(1), store.readValues(99)]).toEqual([undefined, undefined]);
      store.writeValues(1, bytes(10));
      const before = store.rowsWritten;
      store.writeValues(1, bytes(11));
      store.writeValues(2, bytes(12));
      store.writeValues(-1, bytes(13));
      expect(store.rowsWritten - before).toBe(3);
      expect([store.readValues(1), store.readValues(2), store.readValues(-1)]).toEqual([
        bytes(11),
        bytes(12),
        bytes(13),
      ]);
      expect([store.readPage(1), store.listPages("state").length]).toEqual([bytes(1), 2]);
      store.writePage({ id: 1, first: "" }, bytes(4));
      store.deletePage(2);
      // Two rows go with theirs.
      expect(store.rowsWritten - before).toBe(3 + 4);
      store.writePage({ id: 1, first: "" }, bytes(5));
      expect(store.rowsWritten - before).toBe(3 + 5);
      expect([store.readValues(1), store.readValues(2), store.readValues(-1)]).toEqual([
        undefined,
        undefined,
        bytes(13),
      ]);
      expect(() => store.writeValues(1, new Uint8Array(MAX_ROW_BYTES + 1))).toThrow(RangeError);
    });

    check(
      "values are gone when their transaction throws, and back when it would have deleted them",
      (store) => {
        store.writePage({ id: 1, first: "" }, bytes(1));
        const failing = (work: () => void) =>
          expect(() =>
            store.transaction(() => {
              work();
              throw new Error("crash");
            }),
          ).toThrow("crash");
        // The first of all: whatever was made for it is gone too.
        failing(() => store.writeValues(1, bytes(10)));
        expect(store.readValues(1)).toBeUndefined();
        store.writeValues(1, bytes(11));
        failing(() => store.writePage({ id: 1, first: "" }, bytes(2)));
        failing(() => store.deletePage(1));
        failing(() => store.writeValues(1, bytes(12)));
        expect([store.readPage(1), store.readValues(1)]).toEqual([bytes(1), bytes(11)]);
      },
    );

    check("a deleted page is back when its transaction throws", (store) => {
      store.writePage({ id: 1, first: "" }, bytes(1));
      expect(() =>
        store.transaction(() => {
          store.deletePage(1);
          expect(store.readPage(1)).toBeUndefined();
          throw new Error("crash");
        }),
      ).toThrow("crash");
      expect([store.readPage(1), store.listPages("state")]).toEqual([bytes(1), [{ id: 1, first: "" }]]);
    });

    check("pages of the two spaces are listed apart, each in order, under the same first keys", (store) => {
      store.writePage({ id: 1, first: "" }, bytes(1));
      store.writePage({ id: -1, first: "" }, bytes(2));
      store.writePage({ id: -3, first: "\uffff" }, bytes(3));
      store.writePage({ id: -2, first: "\ud83d\ude00" }, bytes(4));
      store.writePage({ id: 2, first: "a" }, bytes(5));
      expect([store.listPages("state"), store.listPages("timers")]).toEqual([
        [
          { id: 1, first: "" },
          { id: 2, first: "a" },
        ],
        [
          { id: -1, first: "" },
          { id: -2, first: "\ud83d\ude00" },
          { id: -3, first: "\uffff" },
        ],
      ]);
      store.writePage({ id: -1, first: "" }, bytes(9));
      expect([store.readPage(1), store.readPage(-1)]).toEqual([bytes(1), bytes(9)]);
      store.deletePage(-1);
      expect([store.readPage(1), store.listPages("timers").length]).toEqual([bytes(1), 2]);
    });

    check("meta rows are upserted", (store) => {
      store.writeMeta("a", bytes(1));
      store.writeMeta("b", bytes());
      store.writeMeta("a", bytes(2));
      expect([store.readMeta("a"), store.readMeta("b"), store.readMeta("c")]).toEqual([
        bytes(2),
        bytes(),
        undefined,
      ]);
    });

    check("dead letters list by number, after one, up to a limit, and can be deleted", (store) => {
      for (const number of [3, 1, 10, 2])
        store.writeDeadLetter({ number, data: JSON.stringify({ number, text: "é\0" }) });
      store.writeDeadLetter({ number: 2, data: '"again"' });
      expect(store.listDeadLetters(1, 2)).toEqual([
        { number: 2, data: '"again"' },
        { number: 3, data: JSON.stringify({ number: 3, text: "é\0" }) },
      ]);
      store.deleteDeadLetter(2);
      store.deleteDeadLetter(99);
      expect(store.listDeadLetters(0, 100).map(({ number }) => number)).toEqual([1, 3, 10]);
      expect(store.listDeadLetters(10, 100)).toEqual([]);
    });

    check("what is written is a copy", (store) => {
      const data = bytes(1, 2, 3);
      store.writePage({ id: 1, first: "" }, data.subarray(1));
      store.writeMeta("m", data);
      store.writeLog({ slot: 0, lsn: 1, part: 0, parts: 1, data });
      data.fill(9);
      expect([store.readPage(1), store.readMeta("m"), store.readLog(0)[0]?.data]).toEqual([
        bytes(2, 3),
        bytes(1, 2, 3),
        bytes(1, 2, 3),
      ]);
    });

    check("a transaction gives its result, sees its own writes, and they stay", (store) => {
      const seen = store.transaction(() => {
        store.writeMeta("a", bytes(1));
        return store.readMeta("a");
      });
      expect([seen, store.readMeta("a")]).toEqual([bytes(1), bytes(1)]);
    });

    check(
      "a transaction that throws leaves nothing behind, in any table, and its error comes out",
      (store) => {
        store.writeMeta("kept", bytes(1));
        store.writePage({ id: 1, first: "" }, bytes(1));
        store.writeLog({ slot: 0, lsn: 1, part: 0, parts: 1, data: bytes(1) });
        store.writeDeadLetter({ number: 1, data: "1" });
        const error = new Error("crash");
        expect(() =>
          store.transaction(() => {
            store.writeMeta("kept", bytes(2));
            store.writeMeta("new", bytes(2));
            store.writePage({ id: 1, first: "" }, bytes(2));
            store.writePage({ id: 2, first: "b" }, bytes(2));
            store.writeLog({ slot: 0, lsn: 2, part: 0, parts: 1, data: bytes(2) });
            store.deleteDeadLetter(1);
            store.writeDeadLetter({ number: 2, data: "2" });
            throw error;
          }),
        ).toThrow(error);
        expect([store.readMeta("kept"), store.readMeta("new"), store.readPage(1), store.readPage(2)]).toEqual(
          [bytes(1), undefined, bytes(1), undefined],
        );
        expect(logged(store)).toEqual([[0, 1, 0, 1, [1]]]);
        expect([store.listPages("state").length, store.listDeadLetters(0, 9)]).toEqual([
          1,
          [{ number: 1, data: "1" }],
        ]);
        store.transaction(() => store.writeMeta("after", bytes(3)));
        expect(store.readMeta("after")).toEqual(bytes(3));
      },
    );

    check("the very first write may be inside a transaction that throws", (store) => {
      expect(() =>
        store.transaction(() => {
          store.writeMeta("a", bytes(1));
          throw new Error("crash");
        }),
      ).toThrow("crash");
      expect([store.readMeta("a"), store.readLog(0)]).toEqual([undefined, []]);
      store.writeMeta("a", bytes(2));
      expect(store.readMeta("a")).toEqual(bytes(2));
    });

    check("an inner transaction that throws takes back its own writes only", (store) => {
      store.transaction(() => {
        store.writeMeta("outer", bytes(1));
        expect(() =>
          store.transaction(() => {
            store.writeMeta("inner", bytes(1));
            throw new Error("inner");
          }),
        ).toThrow("inner");
        store.writeMeta("after", bytes(1));
      });
      expect(["outer", "inner", "after"].map((row) => store.readMeta(row)?.length)).toEqual([
        1,
        undefined,
        1,
      ]);
      expect(() =>
        store.transaction(() => {
          store.transaction(() => store.writeMeta("inner", bytes(1)));
          throw new Error("outer");
        }),
      ).toThrow("outer");
      expect(store.readMeta("inner")).toBeUndefined();
    });

    check("a row may be as large as the limit and not larger", (store) => {
      const largest = new Uint8Array(MAX_ROW_BYTES).fill(7);
      const larger = new Uint8Array(MAX_ROW_BYTES + 1);
      store.writePage({ id: 1, first: "" }, largest);
      store.writeLog({ slot: 0, lsn: 1, part: 0, parts: 1, data: largest });
      store.writeMeta("m", largest);
      expect([
        store.readPage(1)?.length,
        store.readLog(0)[0]?.data.length,
        store.readMeta("m")?.length,
      ]).toEqual([MAX_ROW_BYTES, MAX_ROW_BYTES, MAX_ROW_BYTES]);
      expect(() => store.writePage({ id: 1, first: "" }, larger)).toThrow(RangeError);
      expect(() => store.writeLog({ slot: 0, lsn: 1, part: 0, parts: 1, data: larger })).toThrow(RangeError);
      expect(() => store.writeMeta("m", larger)).toThrow(RangeError);
    });

    check("rows written are counted as they are billed: one a row", (store) => {
      store.writeMeta("warm", bytes(1));
      const before = store.rowsWritten;
      store.writeLog({ slot: 0, lsn: 1, part: 0, parts: 1, data: bytes(1) });
      store.writeLog({ slot: 0, lsn: 2, part: 0, parts: 1, data: bytes(1) });
      store.writePage({ id: 1, first: "" }, bytes(1));
      store.writeDeadLetter({ number: 1, data: "1" });
      expect(store.rowsWritten - before).toBe(4);
    });
  });
}
