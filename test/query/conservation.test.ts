/** Conservation: how shards' counts add up to what was accepted and what is in flight. */
import { expect, test } from "vitest";
import type { ShardReport } from "../../src/cloudflare/query/conservation.ts";
import { acceptedBySource, flowsOf } from "../../src/cloudflare/query/conservation.ts";
import { ProducerKind } from "../../src/engine/segment.ts";

const { isolate, client, redrive, channel } = ProducerKind;

function report(
  operator: string,
  producers: [producer: string, kind: number, counted: number, source?: string][],
  flow?: { applied?: number; late?: number; dead?: number; duplicates?: number },
  retired: Record<string, number> = {},
  emitted: Record<string, number> = {},
): ShardReport {
  return {
    operator,
    retired,
    emitted,
    producers: producers.map(([producer, kind, counted, source = "clicks"]) => ({
      producer,
      kind,
      source,
      counted,
    })),
    flows: flow === undefined ? {} : { clicks: { applied: 0, late: 0, dead: 0, duplicates: 0, ...flow } },
  };
}

test("of an isolate, the most that any shard of any operator has heard", () => {
  const reports = [
    report("a", [["p", isolate, 7]]),
    report("a", [["p", isolate, 9]]),
    report("b", [["p", isolate, 12]]),
  ];
  expect(acceptedBySource(reports)).toEqual(new Map([["clicks", 12]]));
});

test("of a client, the sum over the shards of the operator that is furthest ahead", () => {
  const reports = [
    report("a", [["c", client, 3]]),
    report("a", [["c", client, 4]]),
    report("b", [["c", client, 6]]),
  ];
  expect(acceptedBySource(reports)).toEqual(new Map([["clicks", 7]]));
});

test("of forgotten producers, what the shards of an operator have accounted for", () => {
  const reports = [
    report("a", [["p", isolate, 5]], { applied: 7 }, { clicks: 4 }),
    report("a", [["p", isolate, 6]], { applied: 5 }, { clicks: 2 }),
    report("b", [], {}, { clicks: 5, orders: 3 }),
  ];
  expect(acceptedBySource(reports)).toEqual(
    new Map([
      ["clicks", 12],
      ["orders", 3],
    ]),
  );
  expect(flowsOf([{ name: "a", sources: ["clicks"] }], reports)[0]).toMatchObject({
    accepted: 12,
    applied: 12,
    inFlight: 0,
  });
});

test("producers add up, by source; a redrive counts nothing", () => {
  const reports = [
    report("a", [
      ["p", isolate, 5],
      ["q", isolate, 2],
      ["c", client, 3],
      ["r", redrive, 99],
      ["p", isolate, 4, "orders"],
    ]),
  ];
  expect(acceptedBySource(reports)).toEqual(
    new Map([
      ["clicks", 10],
      ["orders", 4],
    ]),
  );
});

test("what is accepted and nothing else yet is in flight, per operator", () => {
  const operators = [
    { name: "a", sources: ["clicks"] },
    { name: "b", sources: ["clicks", "orders"] },
  ];
  const reports = [
    report("a", [["p", isolate, 10]], { applied: 3, late: 1, duplicates: 2 }),
    report("a", [], { applied: 2, dead: 1 }),
    report("b", [], { applied: 10 }),
  ];
  expect(flowsOf(operators, reports)).toEqual([
    {
      source: "clicks",
      operator: "a",
      accepted: 10,
      applied: 5,
      late: 1,
      dead: 1,
      inFlight: 3,
      duplicates: 2,
    },
    {
      source: "clicks",
      operator: "b",
      accepted: 10,
      applied: 10,
      late: 0,
      dead: 0,
      inFlight: 0,
      duplicates: 0,
    },
    {
      source: "orders",
      operator: "b",
      accepted: 0,
      applied: 0,
      late: 0,
      dead: 0,
      inFlight: 0,
      duplicates: 0,
    },
  ]);
});

test("never negative, whatever order the shards were read in", () => {
  const reports = [report("a", [["p", isolate, 1]], { applied: 5 })];
  const [flow] = flowsOf([{ name: "a", sources: ["clicks"] }], reports);
  expect(flow?.inFlight).toBe(0);
});

test("names that objects have by birth are names like others", () => {
  const reports = [report("a", [["constructor", isolate, 2, "constructor"]])];
  const [flow] = flowsOf([{ name: "a", sources: ["constructor"] }], reports);
  expect(flow).toMatchObject({ accepted: 2, applied: 0, inFlight: 2 });
});

test("from operator to operator, what the upstream's shards have emitted to this one", () => {
  const operators = [
    { name: "a", sources: ["clicks"] },
    { name: "b", sources: ["a"] },
    { name: "c", sources: ["a", "clicks"] },
  ];
  const flows = { a: { applied: 3, late: 0, dead: 1, duplicates: 5 } };
  const reports: ShardReport[] = [
    report("a", [["p", isolate, 9]], { applied: 9 }, {}, { b: 4 }),
    report("a", [], {}, {}, { b: 2, c: 7 }),
    // The channel's own count is only what has come through.
    { ...report("b", [["x", channel, 99, "a"]]), flows },
    report("c", [["p", isolate, 12]], { applied: 8 }),
  ];
  expect(acceptedBySource(reports)).toEqual(new Map([["clicks", 12]]));
  const edges = flowsOf(operators, reports).map(({ source, operator, accepted, applied, dead, inFlight }) => [
    `${source} → ${operator}`,
    { accepted, applied, dead, inFlight },
  ]);
  expect(edges).toEqual([
    ["clicks → a", { accepted: 12, applied: 9, dead: 0, inFlight: 3 }],
    ["a → b", { accepted: 6, applied: 3, dead: 1, inFlight: 2 }],
    ["a → c", { accepted: 7, applied: 0, dead: 0, inFlight: 7 }],
    ["clicks → c", { accepted: 12, applied: 8, dead: 0, inFlight: 4 }],
  ]);
});
