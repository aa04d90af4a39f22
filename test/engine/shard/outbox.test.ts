/** Outbox: one channel a destination, in order, each entry until it is confirmed and no longer, whatever is replayed. */
import { describe, expect, test } from "vitest";
import type { ChannelCounters } from "../../../src/engine/shard/counters.ts";
import type { OutboxEntry } from "../../../src/engine/shard/outbox.ts";
import {
  channelProducer,
  destinationOf,
  Outbox,
  parseDestination,
} from "../../../src/engine/shard/outbox.ts";
import { Random } from "../../simulation/random.ts";
import { NOW } from "../support.ts";

function entry(destination: string, sequence: number, content = "content", arrival = NOW): OutboxEntry {
  return { destination, sequence, arrival, events: 1, before: sequence, content };
}

function outboxOf(...entries: readonly OutboxEntry[]): Outbox {
  const outbox = new Outbox();
  for (const one of entries) outbox.add(one);
  return outbox;
}

const sequencesOf = (entries: readonly OutboxEntry[]) => entries.map(({ sequence }) => sequence);
const ALL = Number.POSITIVE_INFINITY;

describe("adding", () => {
  test("the same entry again, as a replay does, changes nothing", () => {
    const outbox = outboxOf(entry("a/0", 0), entry("a/0", 1));
    const { bytes, size } = outbox;
    for (const sequence of [0, 1, 0]) outbox.add(entry("a/0", sequence, "other"));
    expect([outbox.bytes, outbox.size]).toEqual([bytes, size]);
    expect(outbox.pending("a/0", ALL)).toEqual([entry("a/0", 0), entry("a/0", 1)]);
  });

  test("what is confirmed, again, is passed over", () => {
    const outbox = outboxOf(entry("a/0", 0), entry("a/0", 1));
    outbox.confirm("a/0", 2);
    for (const sequence of [0, 1]) outbox.add(entry("a/0", sequence));
    expect([outbox.size, outbox.bytes, outbox.destinations]).toEqual([0, 0, []]);
    outbox.add(entry("a/0", 2));
    expect(sequencesOf(outbox.pending("a/0", ALL))).toEqual([2]);
  });

  test("channels keep their numbers apart", () => {
    const outbox = outboxOf(entry("a/0", 0), entry("a/1", 0), entry("b/0", 0), entry("a/0", 1));
    expect(outbox.destinations).toEqual(["a/0", "a/1", "b/0"]);
    outbox.confirm("a/1", 1);
    expect(outbox.destinations).toEqual(["a/0", "b/0"]);
    expect(sequencesOf(outbox.pending("a/0", ALL))).toEqual([0, 1]);
  });
});

describe("confirming", () => {
  test("takes away what is below, once, and never goes back", () => {
    const outbox = outboxOf(...[0, 1, 2, 3].map((sequence) => entry("a/0", sequence)));
    outbox.confirm("a/0", 2);
    outbox.confirm("a/0", 2);
    outbox.confirm("a/0", 1);
    expect(sequencesOf(outbox.pending("a/0", ALL))).toEqual([2, 3]);
    expect(outbox.size).toBe(2);
  });

  test("of what has not been added yet, or of a destination without entries, is remembered", () => {
    const outbox = new Outbox();
    outbox.confirm("a/0", 2);
    for (const sequence of [0, 1, 2]) outbox.add(entry("a/0", sequence));
    expect(sequencesOf(outbox.pending("a/0", ALL))).toEqual([2]);
  });
});

describe("pending", () => {
  test("gives the oldest up to about so many bytes, and at least one", () => {
    const outbox = outboxOf(...[0, 1, 2].map((sequence) => entry("a/0", sequence, "x".repeat(1_000))));
    expect([0, 1, 1_000, 1_300, 1e9].map((bytes) => outbox.pending("a/0", bytes).length)).toEqual([
      1, 1, 1, 2, 3,
    ]);
    expect(outbox.pending("nobody/0", 1e9)).toEqual([]);
    // To look is not to ask for a channel.
    expect(outbox.destinations).toEqual(["a/0"]);
  });
});

describe("reconciling with what commits have stored", () => {
  const counters = (confirmed: number): ChannelCounters => ({ next: 4, events: 4, confirmed });

  test("takes over confirmations that are stored", () => {
    const outbox = outboxOf(...[0, 1, 2, 3].map((sequence) => entry("a/0", sequence)));
    outbox.reconcile({ "a/0": counters(3) });
    expect(sequencesOf(outbox.pending("a/0", ALL))).toEqual([3]);
  });

  test("tells those that are not, so that they ride in the next commit", () => {
    const outbox = outboxOf(...[0, 1, 2, 3].map((sequence) => entry("a/0", sequence)));
    outbox.confirm("a/0", 3);
    const channels = { "a/0": counters(1), "b/0": counters(2) };
    outbox.reconcile(channels);
    expect([channels["a/0"].confirmed, channels["b/0"].confirmed]).toEqual([3, 2]);
  });

  test("does nothing where nothing was ever emitted", () => {
    expect(() => new Outbox().reconcile(undefined)).not.toThrow();
  });
});

test("the oldest is the earliest first entry of any channel", () => {
  const outbox = outboxOf(
    entry("a/0", 0, "", NOW + 5),
    entry("b/0", 0, "", NOW + 1),
    entry("b/0", 1, "", NOW + 9),
  );
  expect(outbox.oldest).toBe(NOW + 1);
  outbox.confirm("b/0", 1);
  expect(outbox.oldest).toBe(NOW + 5);
  outbox.confirm("a/0", 1);
  outbox.confirm("b/0", 2);
  expect([outbox.oldest, outbox.bytes, outbox.size]).toEqual([undefined, 0, 0]);
});

test("a channel's producer is 128 bits that depend on the generation, the start and the end", () => {
  const producers = [
    channelProducer(1, "a/0", "b/0"),
    channelProducer(2, "a/0", "b/0"),
    channelProducer(1, "a/1", "b/0"),
    channelProducer(1, "a/0", "b/1"),
    channelProducer(1, "b/0", "a/0"),
  ];
  for (const producer of producers) expect(producer).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(producers).size).toBe(producers.length);
  // Stored at every destination: it may never come out differently.
  expect(producers[0]).toBe("0d27715e306445af62c3d0a2ae3eb921");
});

test("a destination is read as it is written", () => {
  for (const [operator, shard] of [
    ["a", 0],
    ["page-views", 255],
  ] as const)
    expect(parseDestination(destinationOf(operator, shard))).toEqual({ operator, shard });
});

test.each(Array.from({ length: 30 }, (_, n) => n + 1))(
  "holds what was added and not confirmed, in order, through replays (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const names = ["a/0", "a/1", "b/0"];
    const all = new Map(names.map((name) => [name, [] as OutboxEntry[]]));
    const confirmed = new Map(names.map((name) => [name, 0]));
    const outbox = new Outbox();
    for (let step = 0; step < 200; step++) {
      const name = random.pick(names);
      const entries = all.get(name) as OutboxEntry[];
      const dice = random.next();
      if (dice < 0.5) {
        const one = entry(name, entries.length, random.hex(random.int(0, 50)));
        entries.push(one);
        outbox.add(one);
      } else if (dice < 0.75) {
        const upTo = random.int(0, entries.length);
        outbox.confirm(name, upTo);
        confirmed.set(name, Math.max(confirmed.get(name) ?? 0, upTo));
      } else {
        for (const one of entries.slice(random.int(0, entries.length))) outbox.add(one);
      }
      const left = names.flatMap((one) => (all.get(one) ?? []).slice(confirmed.get(one)));
      expect(outbox.entries().toSorted(byPlace)).toEqual(left.toSorted(byPlace));
      expect(outbox.size).toBe(left.length);
      expect(outbox.bytes).toBe(left.reduce((sum, { content }) => sum + content.length + 200, 0));
      expect(outbox.pending(name, ALL)).toEqual((all.get(name) ?? []).slice(confirmed.get(name)));
    }
  },
);

function byPlace(a: OutboxEntry, b: OutboxEntry): number {
  return a.destination < b.destination ? -1 : a.destination > b.destination ? 1 : a.sequence - b.sequence;
}
