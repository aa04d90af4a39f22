/** The sketches give inside workerd what they give in Node: what one of them stored, the other understands. */
import { expect, test } from "vitest";
import { approxDistinct } from "../../src/aggregates/approx-distinct.ts";
import { quantiles } from "../../src/aggregates/quantiles.ts";
import { fingerprintOf } from "../../src/hash.ts";
import type { Aggregator } from "../../src/operator.ts";
import { KNOWN_BINS, KNOWN_HASHES, KNOWN_NUMBERS, KNOWN_REGISTERS, KNOWN_VALUES } from "./known-sketches.ts";

function fold<In, Acc>(aggregator: Aggregator<In, Acc, unknown>, data: readonly In[]): Acc {
  return data.reduce(
    (accumulator, one) => aggregator.add(accumulator, { id: "", time: 0, data: one }),
    aggregator.create(),
  );
}

test("approxDistinct", () => {
  const aggregator = approxDistinct((value: number | string) => value);
  expect(fold(aggregator, KNOWN_VALUES)).toEqual(KNOWN_HASHES);
  const values = Array.from({ length: 1000 }, (_, at) => `value-${at}`);
  const halves = aggregator.merge(
    fold(aggregator, values.slice(0, 600)),
    fold(aggregator, values.slice(400)),
  );
  expect(fingerprintOf(String(halves))).toBe(KNOWN_REGISTERS.fingerprint);
  expect(aggregator.result(halves)).toBe(KNOWN_REGISTERS.estimate);
});

test("quantiles", () => {
  const aggregator = quantiles((value: number) => value, [0, 0.5, 1]);
  const held = aggregator.merge(
    fold(aggregator, KNOWN_NUMBERS.slice(0, 4)),
    fold(aggregator, KNOWN_NUMBERS.slice(4)),
  );
  expect(held).toEqual(KNOWN_BINS);
  const { p0, p50, p100 } = aggregator.result(held);
  expect(Math.abs((p0 as number) / -1e9 - 1)).toBeLessThan(0.0101);
  expect(Math.abs((p50 as number) / 0.1 - 1)).toBeLessThan(0.0101);
  expect(Math.abs((p100 as number) / 1e9 - 1)).toBeLessThan(0.0101);
});
