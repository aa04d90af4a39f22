/** approxDistinct: exact while small, within its error when large, and bit for bit the same in any grouping. */
import { describe, expect, test } from "vitest";
import { fingerprintOf } from "../../src/hash.ts";
import { approxDistinct } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";
import { combineAtRandom, eventsOf, expectSameInAnyGrouping, fold, resultOf } from "./grouping.ts";
import { KNOWN_HASHES, KNOWN_REGISTERS, KNOWN_VALUES } from "./known-sketches.ts";

const approx = approxDistinct((value: number | string) => value);
const STANDARD_ERROR = 1.04 / Math.sqrt(4096);

test("has a signature of its own and grows", () => {
  expect([approx.signature, approx.growing]).toEqual(["approx-distinct@1", true]);
});

test("is exact up to 240 values, and tells 1 from its text", () => {
  for (let n = 0; n <= 240; n++) expect(resultOf(approx, range(n, "value-"))).toBe(n);
  expect(resultOf(approx, [1, "1", 1, "1", 0, -0, ""])).toBe(4);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, null, 5n])("refuses %s", (bad) => {
  expect(() => resultOf(approx, [bad as number])).toThrow(TypeError);
});

describe("error", () => {
  const kinds = [
    ["ids", (at: number, run: number) => `user-${run}-${at}`],
    ["numbers", (at: number, run: number) => run * 10_000_000 + at],
    ["links", (at: number, run: number) => `https://example.com/${run}/page?number=${at}`],
  ] as const;

  test.each(kinds)("of %s: within 3 standard errors, and about one on average", (_, kindOf) => {
    const runs = 8;
    for (const n of [10, 100, 300, 1000, 3000, 10_000, 15_000]) {
      let squares = 0;
      for (let run = 0; run < runs; run++) {
        const values = Array.from({ length: n }, (_, at) => kindOf(at, run));
        const error = (estimateOf(values) - n) / n / STANDARD_ERROR;
        expect(Math.abs(error)).toBeLessThan(3);
        squares += error * error;
      }
      // Which chance alone would exceed once in 23 times; but the values are always the same ones.
      expect(squares / runs).toBeLessThan(2);
    }
  });

  test("of up to 1,000,000 values: within 3 standard errors, while the result never falls", () => {
    let sketch = approx.create();
    let before = 0;
    for (let n = 1; n <= 1_000_000; n++) {
      sketch = approx.add(sketch, { id: "", time: 0, data: n });
      if (n > 1000 && n % 1000 !== 0) continue;
      const result = approx.result(sketch);
      expect(result).toBeGreaterThanOrEqual(before);
      expect(Math.abs(result - n) / n).toBeLessThan(3 * STANDARD_ERROR);
      before = result;
    }
  });
});

test("any grouping and order gives the same, small, large and in between", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new Random(seed);
    const values = Array.from({ length: random.int(0, 600) }, () => random.int(1, random.pick([50, 400])));
    expectSameInAnyGrouping(approx, eventsOf(values), random);
  }
  const random = new Random(7);
  const events = eventsOf(range(3000, "v"));
  expect(combineAtRandom(approx, [...events, ...events], random)).toEqual(fold(approx, events));
});

test("never falls as the registers appear", () => {
  for (let run = 0; run < 50; run++) {
    let sketch = approx.create();
    for (let n = 1; n <= 260; n++) {
      const before = approx.result(sketch);
      sketch = approx.add(sketch, { id: "", time: 0, data: `${run}-${n}` });
      expect(approx.result(sketch)).toBeGreaterThanOrEqual(before);
    }
  }
});

test("a register's rank is the place of the first 1 among the hash's other 41 bits", () => {
  const others = [2 ** 41 - 1, 2 ** 40, 2 ** 39, 2 ** 21, 2 ** 20, 2 ** 19, 1, 0];
  const hashes = others.map((bits, register) => register * 2 ** 41 + bits);
  const rest = Array.from({ length: 240 }, (_, at) => (4095 - at) * 2 ** 41 + 2 ** 40).reverse();
  const registers = String(approx.merge(rest, hashes));
  const ranks = others.map((_, register) => registers.charCodeAt(register) - 48);
  expect(ranks).toEqual([1, 1, 2, 20, 21, 22, 41, 42]);
  expect(registers.slice(8)).toBe("0".repeat(4096 - 8 - 240) + "1".repeat(240));
});

test("takes a few kilobytes at most", () => {
  let longest = 0;
  let sketch = approx.create();
  for (const event of eventsOf(range(5000, "v"))) {
    sketch = approx.add(sketch, event);
    longest = Math.max(longest, JSON.stringify(sketch).length);
  }
  expect(longest).toBeLessThan(4100);
  expect(JSON.stringify(fold(approx, eventsOf(["one"]))).length).toBeLessThan(20);
});

test("what is stored means the same for ever", () => {
  expect(fold(approx, eventsOf(KNOWN_VALUES))).toEqual(KNOWN_HASHES);
  const registers = fold(approx, eventsOf(range(1000, "value-")));
  expect(fingerprintOf(String(registers))).toBe(KNOWN_REGISTERS.fingerprint);
  expect(approx.result(registers)).toBe(KNOWN_REGISTERS.estimate);
});

function estimateOf(values: readonly (number | string)[]): number {
  return approx.result(
    values.reduce((sketch, data) => approx.add(sketch, { id: "", time: 0, data }), approx.create()),
  );
}

function range(n: number, prefix: string): string[] {
  return Array.from({ length: n }, (_, at) => `${prefix}${at}`);
}
