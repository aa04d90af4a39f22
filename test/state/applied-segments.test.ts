/** AppliedSegments against a plain set, around its chunk boundaries, beyond 32 bits, and at its bound in bytes. */
import { describe, expect, test } from "vitest";
import { StateError } from "../../src/errors.ts";
import { AppliedSegments } from "../../src/state/applied-segments.ts";
import { Random } from "../simulation/random.ts";

const P = "0123456789abcdef0123456789abcdef";
const Q = "ffffffffffffffffffffffffffffffff";
const origin = { kind: 0, source: "clicks", arrival: 1_000 };

function add(applied: AppliedSegments, ...sequences: number[]): AppliedSegments {
  for (const sequence of sequences) applied.add(P, sequence, origin);
  return applied;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n);
}

test("knows nothing of a producer that it has not seen", () => {
  const applied = add(new AppliedSegments(), 0);
  expect(applied.status(Q, 0)).toBe("new");
  expect(applied.record(Q)).toBeUndefined();
  applied.setCounted(Q, 7, 7);
  expect(applied.record(Q)).toBeUndefined();
});

test.each([1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 3000])(
  "%i segments in order, reversed or shuffled collapse into one number",
  (length) => {
    const all = range(0, length);
    for (const order of [all, all.toReversed(), new Random(length).shuffle(all)]) {
      const applied = add(new AppliedSegments(), ...order);
      expect(applied.record(P)?.prefix).toBe(length);
      expect(applied.bytes).toBe(256);
      expect(applied.status(P, length - 1)).toBe("applied");
      expect(applied.status(P, length)).toBe("new");
    }
  },
);

test.each([1023, 1024, 1025, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1025, 2 ** 52])(
  "a lone segment %i is itself and neither of its neighbours",
  (sequence) => {
    const applied = add(new AppliedSegments(), sequence);
    for (const known of [applied, AppliedSegments.decode(applied.encode())]) {
      expect(
        [sequence - 1, sequence, sequence + 1, sequence % 2 ** 32].map((s) => known.status(P, s)),
      ).toEqual(["new", "applied", "new", sequence % 2 ** 32 === sequence ? "applied" : "new"]);
    }
  },
);

test.each(range(1, 41))("agrees with a set under a random order (seed %i)", (seed) => {
  const random = new Random(seed);
  const base = random.pick([0, 0, 1000, 2 ** 32 - 500, 2 ** 40]);
  const span = random.pick([10, 100, 1030, 3000]);
  let applied = new AppliedSegments();
  const oracle = new Map<string, Set<number>>([
    [P, new Set()],
    [Q, new Set()],
  ]);
  if (random.chance(0.5))
    for (let s = 0; s < Math.min(base, 1000); s++) {
      applied.add(P, s, origin);
      oracle.get(P)?.add(s);
    }
  for (let step = 0; step < span * 2; step++) {
    const producer = random.pick([P, P, P, Q]);
    const sequence = base + random.int(0, span - 1);
    const set = oracle.get(producer) as Set<number>;
    expect(applied.status(producer, sequence)).toBe(set.has(sequence) ? "applied" : "new");
    applied.add(producer, sequence, origin);
    set.add(sequence);
    if (random.chance(0.02)) {
      const { bytes } = applied;
      applied = AppliedSegments.decode(applied.encode());
      expect(applied.bytes).toBe(bytes);
    }
  }
  for (const [producer, set] of oracle) {
    for (let s = Math.max(0, base - 5); s < base + span + 5; s++) {
      expect(applied.status(producer, s)).toBe(set.has(s) ? "applied" : "new");
    }
    let prefix = 0;
    while (set.has(prefix)) prefix++;
    expect(applied.record(producer)?.prefix ?? 0).toBe(prefix);
  }
});

test("closes a gap of one inside each chunk only when it is filled", () => {
  const applied = new AppliedSegments();
  const gaps = [0, 1023, 1024, 2500];
  for (const s of range(0, 4096)) if (!gaps.includes(s)) applied.add(P, s, origin);
  for (const gap of gaps) {
    expect(applied.record(P)?.prefix).toBe(gap);
    expect(applied.status(P, gap)).toBe("new");
    applied.add(P, gap, origin);
  }
  expect(applied.record(P)?.prefix).toBe(4096);
  expect(applied.bytes).toBe(256);
});

test("remembers of forgotten producers how many events they left here, by source", () => {
  const applied = new AppliedSegments();
  applied.add(P, 0, { kind: 0, source: "clicks", arrival: 100 });
  applied.setCounted(P, 9, 5);
  applied.add(Q, 0, { kind: 1, source: "orders", arrival: 200 });
  applied.setCounted(Q, 4, 4);
  expect(applied.retired(100)).toEqual(new Map());
  expect(applied.retired(101)).toEqual(new Map([["clicks", 5]]));
  applied.forgetBefore(101);
  const copy = AppliedSegments.decode(applied.encode());
  expect(copy.record(P)).toBeUndefined();
  expect(copy.retired(0)).toEqual(new Map([["clicks", 5]]));
  expect(copy.retired(201)).toEqual(
    new Map([
      ["clicks", 5],
      ["orders", 4],
    ]),
  );
});

describe("what is stored", () => {
  test("keeps sources, kinds, counts and times", () => {
    const applied = new AppliedSegments();
    applied.add(P, 0, { kind: 1, source: "clicks", arrival: 1_999_999_999_999 });
    applied.add(Q, 9, { kind: 2, source: "sensors-é", arrival: 5 });
    applied.setCounted(P, 2 ** 40, 3);
    const copy = AppliedSegments.decode(applied.encode());
    expect(
      [...copy.records()].map(([id, { prefix, counted, kind, source, lastSeen }]) => [
        id,
        prefix,
        counted,
        kind,
        source,
        lastSeen,
      ]),
    ).toEqual([
      [P, 1, 2 ** 40, 1, "clicks", 1_999_999_999_999],
      [Q, 0, 0, 2, "sensors-é", 5],
    ]);
    expect(copy.encode()).toEqual(applied.encode());
  });

  test("is refused when it is of another format or cut short", () => {
    const bytes = add(new AppliedSegments(), 0, 5, 5000).encode();
    expect(() => AppliedSegments.decode(new Uint8Array([9, ...bytes.slice(1)]))).toThrow(StateError);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => AppliedSegments.decode(bytes.slice(0, length))).toThrow(StateError);
    }
  });

  test("the latest arrival is kept, whatever the order", () => {
    const applied = new AppliedSegments();
    for (const arrival of [5, 9, 7]) applied.add(P, arrival, { ...origin, arrival });
    expect(applied.record(P)?.lastSeen).toBe(9);
  });
});

describe("at the bound", () => {
  test("the oldest gap becomes forgotten, and later segments stay known", () => {
    const applied = new AppliedSegments(256 + 192 * 2);
    add(applied, 10, 2000, 5000);
    expect(applied.bytes).toBeLessThanOrEqual(applied.maxBytes);
    expect([0, 10, 1023].map((s) => applied.status(P, s))).toEqual(["forgotten", "forgotten", "forgotten"]);
    expect([2000, 5000].map((s) => applied.status(P, s))).toEqual(["applied", "applied"]);
    expect([1024, 1999, 2001].map((s) => applied.status(P, s))).toEqual(["new", "new", "new"]);
  });

  test.each(range(1, 21))("nothing that was applied is ever new again (seed %i)", (seed) => {
    const random = new Random(seed);
    let applied = new AppliedSegments(random.int(600, 3000));
    const added = new Set<string>();
    for (let step = 0; step < 600; step++) {
      const producer = random.pick([P, Q]);
      const sequence = random.int(0, step * 20);
      const status = applied.status(producer, sequence, origin.arrival);
      if (added.has(`${producer}${sequence}`)) expect(status).not.toBe("new");
      if (status === "new") {
        applied.add(producer, sequence, origin);
        added.add(`${producer}${sequence}`);
      }
      expect(applied.bytes).toBeLessThanOrEqual(applied.maxBytes);
      if (random.chance(0.05)) applied = AppliedSegments.decode(applied.encode(), applied.maxBytes);
    }
    for (const id of added)
      expect(applied.status(id.slice(0, 32), Number(id.slice(32)), origin.arrival)).not.toBe("new");
  });

  test.each(range(1, 21))(
    "isolates that come and go are forgotten by time, and nothing is new again (seed %i)",
    (seed) => {
      const random = new Random(seed);
      let applied = new AppliedSegments(256 * random.int(4, 20));
      const sent: { producer: string; sequence: number; arrival: number; added: boolean }[] = [];
      const isolates: string[] = [];
      const next = new Map<string, number>();
      for (let now = 0; now < 500; now++) {
        if (isolates.length === 0 || random.chance(0.1)) isolates.push(random.hex(32));
        const producer = random.chance(0.7) ? (isolates.at(-1) as string) : random.pick(isolates);
        const sequence = next.get(producer) ?? 0;
        next.set(producer, sequence + 1);
        sent.push({ producer, sequence, arrival: now, added: false });
        const segment = random.chance(0.6) ? (sent.at(-1) as (typeof sent)[number]) : random.pick(sent);
        const status = applied.status(segment.producer, segment.sequence, segment.arrival);
        if (segment.added) expect(status).not.toBe("new");
        if (status === "new") {
          applied.add(segment.producer, segment.sequence, { ...origin, arrival: segment.arrival });
          segment.added = true;
        }
        if (random.chance(0.05)) applied = AppliedSegments.decode(applied.encode(), applied.maxBytes);
        expect(applied.bytes).toBeLessThanOrEqual(applied.maxBytes);
      }
      for (const { producer, sequence, arrival, added } of sent) {
        if (added) expect(applied.status(producer, sequence, arrival)).not.toBe("new");
      }
      // A new isolate's segments are taken, however many were forgotten.
      expect(applied.status(random.hex(32), 0, 1_000)).toBe("new");
    },
  );

  test("a client is never forgotten for being one of many: its copy may arrive at any time", () => {
    const applied = new AppliedSegments(256 * 8);
    const clients = range(0, 40).map((n) => n.toString(16).padStart(32, "c"));
    for (const client of clients) applied.add(client, 0, { ...origin, kind: 1 });
    for (let n = 0; n < 40; n++)
      applied.add(n.toString(16).padStart(32, "0"), 0, { ...origin, arrival: 2_000 + n });
    for (const client of clients) expect(applied.status(client, 0, 9_999)).toBe("applied");
  });

  test("a producer in order loses nothing to another one's gaps", () => {
    const applied = new AppliedSegments(256 * 2 + 192 * 2);
    for (let n = 0; n < 100; n++) {
      applied.add(P, n, origin);
      applied.add(Q, n * 5000, origin);
    }
    expect(range(0, 100).every((n) => applied.status(P, n) === "applied")).toBe(true);
    expect(applied.status(P, 100)).toBe("new");
  });

  test("many producers alone do not make a late segment of one of them forgotten", () => {
    const applied = new AppliedSegments(64 * 256);
    for (let n = 0; n < 500; n++) applied.add(n.toString(16).padStart(32, "0"), 0, origin);
    const late = { ...origin, arrival: origin.arrival + 1 };
    applied.add(P, 1, late);
    expect(applied.status(P, 0)).toBe("new");
    expect(applied.status(P, 2)).toBe("new");
    expect(applied.status(P, 1)).toBe("applied");
  });
});

test("forgets producers that were last seen before a time, and only those", () => {
  const applied = new AppliedSegments();
  applied.add(P, 7, { ...origin, arrival: 100 });
  applied.add(Q, 7, { ...origin, arrival: 200 });
  applied.forgetBefore(100);
  expect(applied.status(P, 7)).toBe("applied");
  applied.forgetBefore(101);
  expect(applied.record(P)).toBeUndefined();
  expect(applied.status(Q, 7)).toBe("applied");
  applied.forgetBefore(1_000);
  expect(applied.bytes).toBe(0);
});

describe("a producer that was only met", () => {
  test("has no segment that is applied, is counted, and survives storage", () => {
    const applied = new AppliedSegments();
    applied.meet(P, { ...origin, arrival: 5_000 });
    applied.setCounted(P, 7, 3);
    for (const known of [applied, AppliedSegments.decode(applied.encode())]) {
      expect(known.record(P)).toEqual({
        prefix: 0,
        counted: 7,
        settled: 3,
        kind: 0,
        source: "clicks",
        lastSeen: 5_000,
      });
      expect([0, 1, 1000].map((sequence) => known.status(P, sequence, 5_000))).toEqual(["new", "new", "new"]);
    }
  });

  test("keeps what was applied before, and is seen again", () => {
    const applied = add(new AppliedSegments(), 0, 2);
    applied.meet(P, { ...origin, arrival: 9_000 });
    expect([0, 1, 2].map((sequence) => applied.status(P, sequence))).toEqual(["applied", "new", "applied"]);
    expect(applied.record(P)?.lastSeen).toBe(9_000);
    applied.meet(P, { ...origin, arrival: 1 });
    expect(applied.record(P)?.lastSeen).toBe(9_000);
  });

  test("is forgotten with its age, and what it settled stays in the count", () => {
    const applied = new AppliedSegments();
    applied.meet(P, origin);
    applied.setCounted(P, 7, 3);
    applied.forgetBefore(2_000);
    expect([applied.record(P), applied.retired(0).get("clicks")]).toEqual([undefined, 3]);
  });
});

describe("channels from shard to shard", () => {
  const channel = { kind: 3, source: "upstream", arrival: 1_000 };

  test("are never forgotten for their age, nor counted as retired", () => {
    const applied = add(new AppliedSegments(), 0);
    applied.add(Q, 0, channel);
    applied.setCounted(Q, 5, 5);
    applied.forgetBefore(1e15);
    const woken = AppliedSegments.decode(applied.encode());
    for (const known of [applied, woken]) {
      expect([known.record(P), known.record(Q)?.prefix]).toEqual([undefined, 1]);
      expect([known.status(Q, 0, 0), known.status(Q, 1, 0)]).toEqual(["applied", "new"]);
      expect(known.retired(1e15).get("upstream")).toBeUndefined();
    }
  });

  test("stay when so many isolates come that the oldest of those are given up", () => {
    const applied = new AppliedSegments(256 * 40);
    const random = new Random(1);
    applied.add(Q, 0, channel);
    for (let n = 0; n < 500; n++) applied.add(random.hex(32), 0, { ...origin, arrival: 2_000 + n });
    expect(applied.record(Q)?.prefix).toBe(1);
    // The channel's segments are older than anything that was given up, and are known all the same.
    expect([applied.status(Q, 0, 1_000), applied.status(Q, 1, 1_000)]).toEqual(["applied", "new"]);
    expect(applied.status(random.hex(32), 0, 2_000)).toBe("forgotten");
    expect([...applied.records()].length).toBeLessThan(41);
  });

  test("that come in order take one number, however long they run", () => {
    const applied = new AppliedSegments();
    for (let sequence = 0; sequence < 5_000; sequence++) applied.add(Q, sequence, channel);
    expect([applied.bytes, applied.record(Q)?.prefix]).toEqual([256, 5_000]);
  });
});
