/** Checkpoint record: comes back whole, over several rows too, and with it everything that a shard has not handed over. */
import { describe, expect, test } from "vitest";
import { readCheckpoint, writeCheckpoint } from "../../../src/engine/shard/checkpoint.ts";
import { StateError } from "../../../src/errors.ts";
import { count, Job, planJobs } from "../../../src/index.ts";
import { AppliedSegments } from "../../../src/state/applied-segments.ts";
import { ByteWriter } from "../../../src/state/bytes.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { MAX_ROW_BYTES } from "../../../src/state/store.ts";
import { call, NOW, P, Records, segment, shardOver } from "../support.ts";

const applied = new AppliedSegments();
applied.add(P, 0, { kind: 0, source: "records", arrival: NOW });

describe("the record", () => {
  test("there is none before the first", () => {
    expect(readCheckpoint(new MemoryStore())).toBeUndefined();
  });

  test.each([0, 10, MAX_ROW_BYTES - 100, MAX_ROW_BYTES, 3 * MAX_ROW_BYTES])(
    "comes back with a header of %i characters",
    (length) => {
      const store = new MemoryStore();
      const header = { text: "é".repeat(length / 2), list: [1, null] };
      writeCheckpoint(store, { lsn: 2 ** 40, header, applied });
      const read = readCheckpoint(store);
      expect(read?.lsn).toBe(2 ** 40);
      // Not toEqual: a difference of megabytes would take minutes to print.
      expect(JSON.stringify(read?.header) === JSON.stringify(header)).toBe(true);
      expect(read?.applied.status(P, 0)).toBe("applied");
    },
  );

  test("a short one over a long one is the short one", () => {
    const store = new MemoryStore();
    writeCheckpoint(store, { lsn: 1, header: "x".repeat(2 * MAX_ROW_BYTES), applied });
    writeCheckpoint(store, { lsn: 2, header: "short", applied });
    expect(readCheckpoint(store)).toMatchObject({ lsn: 2, header: "short" });
  });

  test.each([1, 2])("of format %i, from before, is read", (format) => {
    const store = new MemoryStore();
    writeCheckpoint(store, { lsn: 7, header: "old", applied });
    const row = (store.readMeta("checkpoint") as Uint8Array).slice();
    // The number of rows, then the format.
    expect([...row.subarray(0, 2)]).toEqual([1, 3]);
    row[1] = format;
    store.writeMeta("checkpoint", row);
    expect(readCheckpoint(store)).toMatchObject({ lsn: 7, header: "old" });
  });

  test("of another format, or with a part missing, is refused", () => {
    const store = new MemoryStore();
    const other = new ByteWriter();
    other.varint(1);
    other.varint(4);
    store.writeMeta("checkpoint", other.finish());
    expect(() => readCheckpoint(store)).toThrow(/format 4; this code knows 1, 2, 3/);
    const parts = new ByteWriter();
    parts.varint(2);
    store.writeMeta("checkpoint", parts.finish());
    expect(() => readCheckpoint(store)).toThrow(StateError);
  });
});

describe("a shard's checkpoint holds its outbox", () => {
  function counted() {
    const job = new Job("job");
    job
      .addSource(new Records("records"))
      .keyBy(({ key }) => key)
      .aggregate("counts", count(), { shards: 1 })
      .keyBy(({ key }) => key)
      .aggregate("changes", count(), { shards: 2 });
    return planJobs([job]);
  }
  const plan = counted();
  const one = (sequence: number) =>
    call([segment(sequence, {}, { records: [`k${sequence}`, 1, 1], times: [NOW + sequence] })]);

  test("of several rows, when what waits is larger than a row", () => {
    const store = new MemoryStore();
    const shard = shardOver(store, plan, { limits: { outboxBytes: 1e9 } });
    const long = "x".repeat(1_000_000);
    for (let n = 0; n < 5; n++)
      shard.apply(call([segment(n, {}, { records: [`${n}${long}`, 1, 1], times: [NOW] })]));
    expect(shard.outbox.bytes).toBeGreaterThan(2 * MAX_ROW_BYTES);
    shard.checkpoint();
    const { outbox } = shardOver(store, plan);
    expect(outbox.size).toBe(5);
    expect(JSON.stringify(outbox.entries()) === JSON.stringify(shard.outbox.entries())).toBe(true);
  });

  test("so what is confirmed before it stays confirmed, and the rest goes out again, once", () => {
    const store = new MemoryStore();
    const shard = shardOver(store, plan);
    for (let n = 0; n < 12; n++) shard.apply(one(n));
    const [first] = shard.outbox.destinations;
    const [, second] = shard.outbox.pending(first as string, 1e9);
    shard.confirm(first as string, second?.sequence as number);
    shard.checkpoint();
    const woken = shardOver(store, plan);
    expect(woken.log.rows).toBe(0);
    expect(woken.outbox.entries()).toEqual(shard.outbox.entries());
    expect(woken.outbox.size).toBe(11);
    // Numbers go on where they were.
    for (const each of [shard, woken]) each.confirm(first as string, 1e6);
    woken.apply(one(99));
    const again = shardOver(store, plan);
    expect(again.outbox.size).toBe(woken.outbox.size);
    expect(again.counters.channels?.[first as string]?.confirmed).toBe(1e6);
  });

  test("a checkpoint that ends many commits after it began doubles and loses nothing", () => {
    const limits = { checkpointCommits: 3, checkpointStepPages: 1 };
    const store = new MemoryStore();
    const undisturbed = shardOver(new MemoryStore(), plan, { limits: { checkpointCommits: 1e6 } });
    const long = "x".repeat(900);
    let shard = shardOver(store, plan, { limits });
    let under = 0;
    for (let n = 0; n < 40; n++) {
      const records = Array.from({ length: 30 }, (_, k) => [`${(n * 7 + k * 31) % 200}${long}`, 1, 1]).flat();
      const times = Array.from({ length: 30 }, () => NOW);
      const given = call([segment(n, {}, { records, times })]);
      undisturbed.apply(given);
      shard.apply(given);
      if (shard.checkpointLsn < shard.lsn - 3) under++;
      if (n % 5 === 4) {
        for (const destination of ["changes/0", "changes/1"]) {
          const upTo = undisturbed.outbox.pending(destination, 1).at(-1)?.sequence ?? 0;
          for (const each of [shard, undisturbed]) each.confirm(destination, upTo + 1);
        }
      }
      if (n % 3 === 0) {
        const { outbox } = shard;
        shard = shardOver(store, plan, { limits });
        // A confirmation that no commit has stored may be lost: then it is only handed over again.
        expect(shard.outbox.size).toBeGreaterThanOrEqual(outbox.size);
        for (const destination of outbox.destinations)
          shard.confirm(destination, outbox.pending(destination, 1)[0]?.sequence ?? 0);
      }
      expect(shard.outbox.entries()).toEqual(undisturbed.outbox.entries());
    }
    expect(under).toBeGreaterThan(3);
  });
});
