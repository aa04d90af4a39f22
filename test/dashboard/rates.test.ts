/** Rates, from counters that are looked at now and then. */
import { describe, expect, test } from "vitest";
import type { Flow } from "../../workers/dashboard/api/types.ts";
import { ratesOf, remember, type Sample, sampleOf } from "../../workers/dashboard/state/rates.ts";

const flow = (source: string, operator: string, accepted: number, applied = accepted): Flow => ({
  source,
  operator,
  accepted,
  applied,
  late: 0,
  dead: 0,
  inFlight: accepted - applied,
  duplicates: 0,
});

function samples(...counts: readonly (readonly [at: number, ...flows: Flow[]])[]): readonly Sample[] {
  return counts.reduce<readonly Sample[]>((known, [at, ...flows]) => {
    const health = { at: new Date(at).toISOString(), flows };
    return remember(known, sampleOf(health));
  }, []);
}

describe("a source's rate", () => {
  test("is what its counter grew by a second, and its readers' share their own", () => {
    const known = samples(
      [0, flow("clicks", "all", 100), flow("clicks", "some", 10)],
      [4_000, flow("clicks", "all", 500), flow("clicks", "some", 50, 30)],
    );
    const rates = ratesOf(known, 4_000);
    expect(rates.accepted("clicks")).toBe(100);
    expect(rates.applied("clicks", "all")).toBe(100);
    expect(rates.applied("clicks", "some")).toBe(5);
    expect(rates.total).toBe(100);
  });

  test("falls to nothing while nothing comes, as then no health does", () => {
    const known = samples([0, flow("s", "o", 0)], [1_000, flow("s", "o", 100)]);
    expect(ratesOf(known, 1_000).total).toBe(100);
    expect(ratesOf(known, 4_000).total).toBe(25);
    expect(ratesOf(known, 60_000).total).toBe(0);
  });

  test("goes by the last seconds only", () => {
    const known = samples(
      [0, flow("s", "o", 0)],
      [10_000, flow("s", "o", 100_000)],
      [15_000, flow("s", "o", 100_050)],
    );
    expect(ratesOf(known, 15_000).total).toBe(10);
    expect(known.length).toBe(2);
  });

  test("is nothing at the first look, of what is not known, and of a counter that began anew", () => {
    expect(ratesOf([], 0).total).toBe(0);
    expect(ratesOf(samples([0, flow("s", "o", 5)]), 5_000).total).toBe(0);
    const anew = samples([0, flow("s", "o", 500)], [1_000, flow("s", "o", 3)]);
    expect(ratesOf(anew, 1_000).accepted("s")).toBe(0);
    expect(ratesOf(anew, 1_000).accepted("other")).toBe(0);
  });
});
