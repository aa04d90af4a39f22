/** Emitter: what a commit emits becomes numbered segments, one channel a destination, each no larger than its way allows. */
import { describe, expect, test } from "vitest";
import { unseal } from "../../../src/engine/envelope.ts";
import { MEMORY_LIMITS } from "../../../src/engine/memory-queue.ts";
import { RECORD_WIDTH } from "../../../src/engine/segment.ts";
import type { ShardCounters } from "../../../src/engine/shard/counters.ts";
import { emptyCounters } from "../../../src/engine/shard/counters.ts";
import { Emitter } from "../../../src/engine/shard/emitter.ts";
import type { OutboxEntry } from "../../../src/engine/shard/outbox.ts";
import { OperatorFailedError } from "../../../src/errors.ts";
import type { FailurePolicy, Stream } from "../../../src/index.ts";
import { average, count, Job, ProcessFunction, planJobs, stage } from "../../../src/index.ts";
import { Random } from "../../simulation/random.ts";
import { NOW, operatorOf, Records } from "../support.ts";
import { deadOf, eventsOf, Nowhere } from "./support.ts";

class Origin extends ProcessFunction<unknown, unknown> {
  apply(): void {}
}

/** The operator `origin`, with these readers behind it. */
function originWith(
  readers: (stream: Stream<unknown>) => void,
  { shard = 0, onError = "dead-letter" }: { shard?: number; onError?: FailurePolicy } = {},
) {
  const job = new Job("job", { onError });
  readers(
    job
      .addSource(new Records<unknown>("records"))
      .keyBy(() => "k")
      .applyOperator(new Origin("origin")),
  );
  return new Emitter(operatorOf(planJobs([job]), "origin"), shard);
}

const event = (data: unknown, id = "e", time = NOW) => ({ id, time, data });
const byText = (data: unknown) => String(data);
const waits = () => stage<unknown>({ name: "waits", apply: () => undefined });

function shown(entries: readonly OutboxEntry[]): unknown[] {
  return entries.map(({ content: _, ...rest }) => rest);
}

describe("numbers", () => {
  test("are taken for each destination by itself, from the counters, without gaps", () => {
    const counters = emptyCounters();
    counters.channels = { "counts/0": { next: 4, events: 10, confirmed: 2 } };
    const emitter = originWith((stream) => {
      stream.keyBy(byText).aggregate("counts", count(), { shards: 2 });
      stream.addSink(new Nowhere("out"));
    });
    // One of these keys is in each shard; a counts twice but leaves as one record.
    for (const data of ["a", "a", "b", "c", "d"]) emitter.emit(undefined, event(data));
    const { entries, oversized } = emitter.finish(counters, NOW + 5);
    expect(oversized).toEqual([]);
    const own = (destination: string) => entries.find((one) => one.destination === destination);
    const [first, second] = [own("counts/0"), own("counts/1")];
    expect((first?.events ?? 0) + (second?.events ?? 0)).toBe(5);
    expect(entries.length).toBe(3);
    expect(first).toMatchObject({ sequence: 4, before: 10, arrival: NOW + 5 });
    expect(second).toMatchObject({ sequence: 0, before: 0 });
    expect(own("out/0")).toMatchObject({ sequence: 0, before: 0, events: 5 });
    expect(counters.channels).toEqual({
      "counts/0": { next: 5, events: 10 + (first?.events ?? 0), confirmed: 2 },
      "counts/1": { next: 1, events: second?.events, confirmed: 0 },
      "out/0": { next: 1, events: 5, confirmed: 0 },
    });
  });

  test("are not taken when nothing is emitted, or nobody is there to hear it", () => {
    const counters: ShardCounters = emptyCounters();
    const emitter = originWith((stream) => {
      stream.filter(() => false).addSink(new Nowhere("out"));
      stream.sideOutput("late").addSink(new Nowhere("late-out"));
    });
    expect(emitter.finish(counters, NOW)).toEqual({ entries: [], oversized: [] });
    emitter.emit("nobody", event(1));
    emitter.emit("constructor", event(1));
    // What a filter drops between two shards never left the first one.
    emitter.emit(undefined, event(2));
    expect(emitter.finish(counters, NOW)).toEqual({ entries: [], oversized: [] });
    expect(counters.channels).toBeUndefined();
  });

  test("count what a filter dropped nowhere, and a flatMap's siblings once", () => {
    const counters = emptyCounters();
    const emitter = originWith((stream) => {
      stream
        .flatMap((data) => Array.from({ length: data as number }, () => data))
        .addSink(new Nowhere("out"));
    });
    for (const data of [0, 3, 1, 0]) emitter.emit(undefined, event(data, `e${data}`));
    const { entries } = emitter.finish(counters, NOW);
    expect(eventsOf(entries).map(({ id, n }) => [id, n])).toEqual([
      ["e3", 1],
      ["e3/1", 0],
      ["e3/2", 0],
      ["e1", 1],
    ]);
    expect(shown(entries)).toEqual([
      { destination: "out/0", sequence: 0, arrival: NOW, events: 2, before: 0, time: NOW },
    ]);
  });
});

describe("side outputs", () => {
  test("go their own way, also from the steps behind", () => {
    const counters = emptyCounters();
    const emitter = originWith((stream) => {
      stream.addSink(new Nowhere("main"));
      stream
        .sideOutput<unknown>("late")
        .map((data) => `late ${data}`)
        .addSink(new Nowhere("late"));
      const { large, rest } = stream.split({ large: (data) => (data as number) > 5 });
      large.addSink(new Nowhere("large"));
      rest.addSink(new Nowhere("small"));
    });
    emitter.emit(undefined, event(1, "one"));
    emitter.emit("late", event(9, "nine"));
    emitter.emit(undefined, event(7, "seven"));
    const { entries } = emitter.finish(counters, NOW);
    const got = Object.fromEntries(
      entries.map((entry) => [entry.destination, eventsOf([entry]).map(({ data }) => data)]),
    );
    expect(got).toEqual({ "main/0": [1, 7], "late/0": ["late 9"], "large/0": [7], "small/0": [1] });
  });
});

describe("failures of the steps behind", () => {
  const failing = (stream: Stream<unknown>) => {
    const mapped = stream.map((data) => {
      if (data === 13) throw new Error("unlucky");
      return data;
    }, "picky");
    mapped.addSink(new Nowhere("one"));
    mapped.keyBy(byText).aggregate("two", count(), { shards: 1 });
    stream.addSink(new Nowhere("three"));
  };

  test("travel as dead events to each operator that the event was on its way to", () => {
    const emitter = originWith(failing);
    for (const data of [1, 13, 2]) emitter.emit(undefined, event(data, `e${data}`));
    const { entries } = emitter.finish(emptyCounters(), NOW);
    const dead = { operator: "picky", error: "unlucky", event: event(13, "e13"), n: 1 };
    for (const { destination, events, content } of entries) {
      expect([destination, events]).toEqual([destination, 3]);
      expect(deadOf([{ content }])).toEqual(destination === "three/0" ? [] : [dead]);
    }
    expect(entries.length).toBe(3);
  });

  test("refuse the commit where the policy is to fail", () => {
    const emitter = originWith(failing, { onError: "fail" });
    emitter.emit(undefined, event(1));
    expect(() => emitter.emit(undefined, event(13))).toThrow(OperatorFailedError);
    expect(() => emitter.emit(undefined, event(13))).toThrow(/picky.*unlucky/);
  });

  test("an invalid key is one, since there is no sender to tell", () => {
    const emitter = originWith((stream) => {
      stream.keyBy((data) => data as string).aggregate("counts", count(), { shards: 1 });
    });
    for (const data of ["x".repeat(3_000), "\ud83d", "good", 7]) emitter.emit(undefined, event(data));
    const { entries } = emitter.finish(emptyCounters(), NOW);
    expect(deadOf(entries).map(({ operator, n }) => [operator, n])).toEqual([
      ["origin.key-by", 1],
      ["origin.key-by", 1],
      ["origin.key-by", 1],
    ]);
    expect(entries.map(({ events }) => events)).toEqual([4]);
  });

  const spoilt = (stream: Stream<unknown>) => {
    stream
      .keyBy(() => "k")
      .aggregate(
        "averages",
        average((data) => data as number),
        { shards: 1 },
      );
    stream.addSink(new Nowhere("out"));
  };

  test("what an aggregate throws on, or cannot be written down, is dead and spoils no neighbour", () => {
    const circular: unknown[] = [];
    circular.push(circular);
    const emitter = originWith(spoilt);
    for (const data of [1, Number.NaN, circular, 3n, 5]) emitter.emit(undefined, event(data));
    const { entries } = emitter.finish(emptyCounters(), NOW);
    const [averages, out] = entries;
    expect([averages?.destination, averages?.events, out?.destination, out?.events]).toEqual([
      "averages/0",
      5,
      "out/0",
      5,
    ]);
    expect(unseal(averages?.content as string).records).toEqual(["k", [6, 2], 2]);
    expect(deadOf([averages as OutboxEntry]).length).toBe(3);
    expect(deadOf([out as OutboxEntry]).map(({ operator, n }) => [operator, n])).toEqual([
      ["out", 1],
      ["out", 1],
    ]);
    expect(eventsOf([out as OutboxEntry]).map(({ data }) => data)).toEqual([1, null, 5]);
  });

  test("and refuses the commit where the policy is to fail: a dead event that is on its way is refused for ever", () => {
    for (const data of [3n, Number.NaN]) {
      const emitter = originWith(spoilt, { onError: "fail" });
      emitter.emit(undefined, event(1));
      expect(() => {
        emitter.emit(undefined, event(data));
        emitter.finish(emptyCounters(), NOW);
      }).toThrow(OperatorFailedError);
    }
  });
});

describe("large contents", () => {
  test("to a shard are cut under a call's size, and each event is in one piece", () => {
    const random = new Random(3);
    const emitter = originWith((stream) => stream.addSink(new Nowhere("out")), { shard: 3 });
    const given = Array.from({ length: 300 }, (_, n) => ({
      id: `e${n}`,
      data: "x".repeat(random.int(0, 40_000)),
    }));
    for (const { id, data } of given) emitter.emit(undefined, event(data, id));
    const counters = emptyCounters();
    const { entries } = emitter.finish(counters, NOW);
    expect(entries.length).toBeGreaterThan(5);
    for (const { content } of entries) expect(content.length).toBeLessThanOrEqual(1_000_000);
    expect(eventsOf(entries).map(({ id }) => id)).toEqual(given.map(({ id }) => id));
    expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, n) => n));
    let before = 0;
    for (const entry of entries) {
      expect([entry.before, entry.events]).toEqual([before, eventsOf([entry]).length]);
      before += entry.events;
    }
    expect(counters.channels?.["out/0"]).toEqual({ next: entries.length, events: 300, confirmed: 0 });
  });

  test("one record and dead events, all too large together, are cut until they fit or cannot be cut", () => {
    const emitter = originWith((stream) => {
      stream
        .map((data) => {
          if (String(data).startsWith("bad")) throw new Error("bad");
          return data;
        }, "picky")
        .keyBy(() => "one key")
        .aggregate("counts", count(), { shards: 1 });
    });
    emitter.emit(undefined, event("good"));
    const bad = Array.from({ length: 7 }, (_, n) => `bad ${n} ${"x".repeat(400_000)}`);
    for (const data of bad) emitter.emit(undefined, event(data));
    emitter.emit(undefined, event(`bad ${"x".repeat(1_500_000)}`));
    const { entries } = emitter.finish(emptyCounters(), NOW);
    expect(deadOf(entries).map(({ event: { data } }) => String(data).length)).toEqual(
      [...bad, "x".repeat(1_500_004)].map(({ length }) => length),
    );
    expect(entries.flatMap(({ content }) => unseal(content).records)).toEqual(["one key", 1, 1]);
    for (const { content } of entries) {
      const { records, dead } = unseal(content);
      expect(records.length + dead.length).toBeGreaterThan(0);
      if (records.length / RECORD_WIDTH + dead.length > 1)
        expect(content.length).toBeLessThanOrEqual(1_000_000);
    }
    expect(entries.reduce((sum, { events }) => sum + events, 0)).toBe(9);
  });

  test("of an aggregate that is read keep the time of each record with it", () => {
    const emitter = originWith((stream) => {
      stream
        .keyBy((data) => data as string)
        .aggregate("counts", count(), { shards: 1 })
        .addSink(new Nowhere("out"));
    });
    const given = Array.from({ length: 2_000 }, (_, n) => [`${n}`.padEnd(1_500, "x"), NOW + n] as const);
    for (const [key, time] of given) emitter.emit(undefined, event(key, "e", time));
    emitter.emit(undefined, event(given[0]?.[0], "e", NOW + 1e6));
    const { entries } = emitter.finish(emptyCounters(), NOW);
    expect(entries.length).toBeGreaterThan(2);
    const got = entries.flatMap(({ content }) => {
      const { records, times = [] } = unseal(content);
      return times.map((time, n) => [records[n * RECORD_WIDTH], time]);
    });
    expect(got).toEqual(given.map(([key, time], n) => [key, n === 0 ? NOW + 1e6 : time]));
  });

  const texts: readonly (readonly [string, string])[] = [
    ["of plain letters", "x"],
    ["of three bytes a letter", "漢"],
    ["of four bytes for two", "\ud83d\ude00"],
    ["that is escaped twice", '"'],
    ["of backslashes", "\\"],
    ["of control characters", "\u0001"],
  ];
  test.each(texts)("to a stage fit its queue's messages, text %s", (_what, letter) => {
    const emitter = originWith((stream) => stream.applyOperator(waits()).addSink(new Nowhere("out")));
    const random = new Random(1);
    const lengths = Array.from({ length: 60 }, () => random.int(0, 12_000));
    lengths.forEach((length, n) => emitter.emit(undefined, event(letter.repeat(length), `e${n}`)));
    const { entries, oversized } = emitter.finish(emptyCounters(), NOW);
    expect(oversized).toEqual([]);
    expect(eventsOf(entries).map(({ data }) => String(data).length / letter.length)).toEqual(lengths);
    for (const { content } of entries)
      expect(bytesInMessage(content)).toBeLessThan(MEMORY_LIMITS.messageBytes);
    // What is billed by 64 KB is not cut into crumbs either.
    const whole = entries.reduce((sum, { content }) => sum + bytesInMessage(content), 0);
    expect(whole / entries.length).toBeGreaterThan(15_000);
  });

  test.each(texts)("an event that no message holds is told, its neighbours go, text %s", (_what, letter) => {
    const emitter = originWith((stream) => stream.applyOperator(waits()).addSink(new Nowhere("out")));
    const counters = emptyCounters();
    for (const length of [10, 130_000, 20])
      emitter.emit(undefined, event(letter.repeat(length), `e${length}`));
    const { entries, oversized } = emitter.finish(counters, NOW);
    expect(eventsOf(entries).map(({ id }) => id)).toEqual(["e10", "e20"]);
    expect(oversized.map(({ stage, content }) => [stage, content.records[2]])).toEqual([["waits", 1]]);
    expect(oversized[0]?.bytes).toBeGreaterThan(MEMORY_LIMITS.messageBytes * 0.9);
    // Its number was not taken: there is no gap.
    expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, n) => n));
    expect(counters.channels?.["waits/0"]).toMatchObject({ next: entries.length, events: 2 });
  });
});

test("what has no key goes to one shard of its target, by where it comes from", () => {
  const places = Array.from({ length: 16 }, (_, shard) => {
    const emitter = originWith((stream) => stream.addSink(new Nowhere("out", { shards: 4 })), { shard });
    for (let n = 0; n < 20; n++) emitter.emit(undefined, event(n, `e${n}`));
    const { entries } = emitter.finish(emptyCounters(), NOW);
    expect(entries.length).toBe(1);
    return entries[0]?.destination;
  });
  expect(new Set(places).size).toBeGreaterThan(1);
});

/** The text of a sealed part inside the text of a message, as UTF-8. */
function bytesInMessage(content: string): number {
  return new TextEncoder().encode(JSON.stringify(content)).length;
}
