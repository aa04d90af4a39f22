/** Envelope: what is encoded comes back, and whatever else arrives is an EnvelopeError and nothing else. */
import { describe, expect, test } from "vitest";
import type { Envelope } from "../../src/engine/envelope.ts";
import { decodeEnvelope, encodeEnvelope, openEnvelope, seal, unseal } from "../../src/engine/envelope.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { EnvelopeError } from "../../src/errors.ts";
import { Random } from "../simulation/random.ts";
import { P, Q } from "./support.ts";

const dead = { operator: "map", error: "bad", event: { id: "1", time: 5, data: { a: [null] } }, n: 1 };
const envelope: Envelope = {
  generation: 3,
  fingerprint: "0123456789abcdef",
  source: "clicks",
  segments: [
    {
      producer: P,
      sequence: 2 ** 40,
      kind: 1,
      arrival: 1_750_000_000_000,
      events: 4,
      before: 0,
      parts: [
        {
          operator: "views",
          shards: 4,
          byShard: [
            {
              shard: 0,
              records: ["", 1, 1, '\0\ud83d\ude00"', { nested: [1] }, 2],
              dropped: 1,
              dead: [dead],
            },
            { shard: 3, records: [], dropped: 1, dead: [] },
          ],
        },
        { operator: "sums", shards: 1, byShard: [] },
      ],
    },
    { producer: Q, sequence: 0, kind: 0, arrival: 0, events: 0, before: 9, parts: [] },
  ],
};

test("an envelope comes back as it was", () => {
  expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope);
  const empty = { ...envelope, segments: [] };
  expect(decodeEnvelope(encodeEnvelope(empty))).toEqual(empty);
});

test("a field that a newer version appends is ignored", () => {
  const packed = JSON.parse(encodeEnvelope(envelope));
  packed.push("new");
  packed[4][0].push(null, null, { newer: true });
  packed[4][0][6][0].push(1);
  packed[4][0][6][0][2][0].push(1);
  expect(decodeEnvelope(JSON.stringify(packed))).toEqual(envelope);
});

test("what a sender says that it has used comes back, with and without a time, and is counts", () => {
  const [first] = envelope.segments;
  const used = { requests: 2, objects: 1 };
  const time = { hold: "h", n: 4 };
  const segments = [{ ...first, used } as Segment, { ...first, used, time } as Segment];
  const told = { ...envelope, segments };
  expect(decodeEnvelope(encodeEnvelope(told))).toEqual(told);
  const packed = JSON.parse(encodeEnvelope(told));
  packed[4][0][8].requests = -1;
  expect(() => decodeEnvelope(JSON.stringify(packed))).toThrow(EnvelopeError);
});

test("what a segment means for the watermark comes back, and is absent where it was", () => {
  const [first] = envelope.segments;
  const times = [
    { hold: "00ff", n: 0 },
    { hold: "00ff", n: 7, front: -1 },
    { hold: "00ff", n: 8, front: 1_000, watermark: 2_000 },
  ];
  const timed = { ...envelope, segments: times.map((time) => ({ ...(first as Segment), time })) };
  expect(decodeEnvelope(encodeEnvelope(timed))).toEqual(timed);
});

describe("garbage is an EnvelopeError", () => {
  const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

  test.each([
    undefined,
    null,
    0,
    true,
    {},
    [],
    new Uint8Array(3),
    Symbol("x"),
    1n,
    () => 1,
    "",
    " ",
    "{",
    "null",
    "1",
    '"x"',
    "{}",
    "[]",
    "[null]",
    "[0]",
    "[2]",
    '["1"]',
    "[[1]]",
    '[{"toString":1,"valueOf":2}]',
    '[{"__proto__":null}]',
    `[${deep("[", "]", 20_000)}]`,
    deep("[", "]", 200_000),
    deep('{"a":', "}", 10),
    `[1,${deep("[", "]", 20_000)},"f","s",[]]`,
    "[1]",
    "[1,1]",
    '[1,1,"f"]',
    '[1,1,"f","s"]',
    '[1,1,"f","s",null]',
    '[1,1,"f","s",{}]',
    '[1,1,"f","s","x"]',
    '[1,1.5,"f","s",[]]',
    '[1,-1,"f","s",[]]',
    '[1,1e300,"f","s",[]]',
    '[1,9007199254740993,"f","s",[]]',
    '[1,1,1,"s",[]]',
    '[1,1,"f",null,[]]',
    '[1,1,"f","s",[null]]',
    '[1,1,"f","s",[[]]]',
    '[1,1,"f","s",[1]]',
  ])("garbage %#", (text) => {
    expect(() => decodeEnvelope(text)).toThrow(EnvelopeError);
  });

  /** Every place in a good envelope, replaced by something that does not belong there. */
  function* broken(): Iterable<[string, string]> {
    const good = JSON.parse(encodeEnvelope(envelope));
    const places: (string | number)[][] = [];
    const collect = (value: unknown, path: (string | number)[]) => {
      places.push(path);
      // What an accumulator or an event holds is the user's own.
      if (Array.isArray(value))
        value.forEach((item, n) => {
          if (!(path.at(-2) === 0 && path.length === 9 && n % 3 === 1)) collect(item, [...path, n]);
        });
    };
    collect(good, []);
    for (const path of places) {
      if (path.length === 0) continue;
      for (const replacement of [null, -1, 1.5, "x", [], {}, [[]], true]) {
        const copy = structuredClone(good);
        let parent = copy;
        for (const step of path.slice(0, -1)) parent = parent[step];
        const last = path.at(-1) as number;
        if (JSON.stringify(parent[last]) === JSON.stringify(replacement)) continue;
        if (Array.isArray(parent[last]) && Array.isArray(replacement) && replacement.length === 0) continue;
        if (typeof parent[last] === typeof replacement && typeof replacement === "string") continue;
        parent[last] = replacement;
        yield [`${path.join(".")} = ${JSON.stringify(replacement)}`, JSON.stringify(copy)];
      }
    }
  }

  test("for every place in it that holds something else", () => {
    let tried = 0;
    const taken: string[] = [];
    for (const [what, text] of broken()) {
      tried++;
      try {
        decodeEnvelope(text);
        taken.push(what);
      } catch (error) {
        if (!(error instanceof EnvelopeError)) throw new Error(`${what}: ${String(error)}`);
      }
    }
    expect(tried).toBeGreaterThan(200);
    // Accumulators may be any JSON.
    expect(taken.filter((what) => !/^4\.0\.6\.0\.2\.0\.1\.[14] =/.test(what))).toEqual([]);
  });

  test.each([
    [
      "an unknown kind",
      (s: Record<number, unknown>) => {
        s[2] = 7;
      },
    ],
    [
      "a producer that is not 32 hex digits",
      (s: Record<number, unknown>) => {
        s[0] = P.toUpperCase();
      },
    ],
    [
      "a key that is not text",
      (s: Record<number, unknown>) => {
        s[6] = [["v", 1, [[0, [1, 1, 1], 0, []]]]];
      },
    ],
    [
      "a count that is not one",
      (s: Record<number, unknown>) => {
        s[6] = [["v", 1, [[0, ["k", 1, "1"], 0, []]]]];
      },
    ],
    [
      "records that are not threes",
      (s: Record<number, unknown>) => {
        s[6] = [["v", 1, [[0, ["k", 1], 0, []]]]];
      },
    ],
    [
      "a dead event that is null",
      (s: Record<number, unknown>) => {
        s[6] = [["v", 1, [[0, [], 0, [null]]]]];
      },
    ],
    [
      "a dead event without an event",
      (s: Record<number, unknown>) => {
        s[6] = [["v", 1, [[0, [], 0, [{ operator: "m", error: "e", n: 1 }]]]]];
      },
    ],
    [
      "an operator twice",
      (s: Record<number, unknown>) => {
        s[6] = [
          ["v", 1, []],
          ["v", 1, []],
        ];
      },
    ],
    [
      "a shard twice",
      (s: Record<number, unknown>) => {
        s[6] = [
          [
            "v",
            1,
            [
              [0, ["k", 1, 1], 0, []],
              [0, ["k", 1, 1], 0, []],
            ],
          ],
        ];
      },
    ],
  ] as const)("%s", (_what, breakIt) => {
    const packed = JSON.parse(encodeEnvelope(envelope));
    breakIt(packed[4][0]);
    expect(() => decodeEnvelope(JSON.stringify(packed))).toThrow(EnvelopeError);
  });

  test("for any cut or changed character", () => {
    const text = encodeEnvelope(envelope);
    const random = new Random(7);
    for (let length = 0; length < text.length; length++) {
      expect(() => decodeEnvelope(text.slice(0, length))).toThrow(EnvelopeError);
    }
    for (let n = 0; n < 2000; n++) {
      const at = random.int(0, text.length - 1);
      const changed = text.slice(0, at) + random.pick([...'[]{}",:0-1xn\\']) + text.slice(at + 1);
      try {
        decodeEnvelope(changed);
      } catch (error) {
        expect(error).toBeInstanceOf(EnvelopeError);
      }
    }
  });
});

describe("a sealed part", () => {
  const content = { records: ["", 1, 1, "\ud800", { nested: [1] }, 2], dropped: 3, dead: [dead] };

  test("comes back as it was, and is handed on unread", () => {
    expect(unseal(seal(content))).toEqual(content);
    const { segments } = openEnvelope(encodeEnvelope(envelope));
    expect(segments[0]?.parts[0]?.byShard[1]).toEqual({ shard: 3, content: "[[],1,[]]" });
  });

  test.each([
    "",
    "[",
    "null",
    "{}",
    "[]",
    "[1]",
    "[[1,2],0,[]]",
    "[[1,2,3],0,[]]",
    '[["k",2,-1],0,[]]',
    '[["k",2,1.5],0,[]]',
    "[[],-1,[]]",
    "[[],0]",
    "[[],0,{}]",
    "[[],0,[null]]",
    "[[],0,[{}]]",
    '[[],0,[{"operator":"o","error":"e","event":{"id":1},"n":1}]]',
  ])("%s is an EnvelopeError", (text) => {
    expect(() => unseal(text)).toThrow(EnvelopeError);
  });
});
