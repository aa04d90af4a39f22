/** The simulator's parts by themselves: its city, and the recount that the job is held to. */
import { describe, expect, test } from "vitest";
import { City } from "../../scripts/sensors/city.ts";
import { alertDifferences, averageDifferences } from "../../scripts/sensors/compare.ts";
import { Recount } from "../../scripts/sensors/recount.ts";
import { districts } from "../../workers/jobs/sensors/districts.ts";

const START = Date.UTC(2026, 0, 1);
const options = { sensors: 2_000, seconds: 120, seed: 1, perGateway: 100 };

/** Each sensor's reading of each second. */
function recounted(city: City): Recount {
  const recount = new Recount({ limits: districts });
  for (let sensor = 0; sensor < options.sensors; sensor++) {
    for (let second = 0; second < options.seconds; second++) {
      const reading = city.reading(sensor, START, START + second * 1000 + (sensor % 1000));
      if (reading !== undefined) recount.add(reading);
    }
  }
  return recount;
}

describe("the city", () => {
  test("is the same for the same seed", () => {
    const [one, same, other] = [1, 1, 2].map((seed) => new City({ ...options, seed }));
    expect(one?.episodes).toEqual(same?.episodes);
    expect(one?.reading(7, START, START + 5)).toEqual(same?.reading(7, START, START + 5));
    expect(one?.episodes).not.toEqual(other?.episodes);
    expect(one?.reading(7, START, START + 5)).not.toEqual(other?.reading(7, START, START + 5));
  });

  test("puts the sensors of a gateway into one district, and every sensor behind one gateway", () => {
    const city = new City({ ...options, sensors: 250 });
    expect(city.gateways).toBe(3);
    const sensors = [0, 1, 2].flatMap((gateway) => city.sensorsOf(gateway));
    expect(sensors).toEqual(Array.from({ length: 250 }, (_, n) => n));
    expect(city.sensorsOf(2)).toHaveLength(50);
    expect(new Set(city.sensorsOf(1).map((sensor) => city.districtOf(sensor)))).toEqual(new Set(["harbour"]));
  });

  test("raises and resolves an alert for each episode that is planned to, and for no other", () => {
    const city = new City(options);
    const planned = [...city.episodes]
      .filter(([, { alerts }]) => alerts)
      .map(([sensor]) => city.nameOf(sensor));
    expect(planned.length).toBeGreaterThan(10);
    expect(city.episodes.size).toBeGreaterThan(2 * planned.length);
    const rows = recounted(city).alerts();
    for (const kind of ["raised", "resolved"]) {
      expect(
        rows
          .filter((row) => row.kind === kind)
          .map(({ sensor }) => sensor)
          .sort(),
      ).toEqual(planned.sort());
    }
  });
});

describe("the recount", () => {
  const at = (seconds: number, airQuality: number, sensor = "a") => ({
    ...{ sensor, district: "park", temperature: seconds, traffic: 2, airQuality },
    time: START + seconds * 1000,
  });
  const every = (from: number, to: number, airQuality: number) =>
    Array.from({ length: to - from + 1 }, (_, n) => at(from + n, airQuality));
  const alertsOf = (...readings: ReturnType<typeof at>[]) => {
    const recount = new Recount({ limits: new Map([["park", 50]]) });
    for (const reading of readings) recount.add(reading);
    return recount.alerts().map(({ kind, since, at }) => [kind, (since - START) / 1000, (at - START) / 1000]);
  };

  test.each([
    [
      "over for 30 s and a moment",
      [...every(0, 31, 51), at(32, 50)],
      [
        ["raised", 0, 30],
        ["resolved", 0, 32],
      ],
    ],
    ["the end at the very moment", [...every(0, 29, 51), at(30, 50)], []],
    ["at the limit, not over it", every(0, 60, 50), []],
    ["a moment within", [...every(0, 20, 51), at(21, 50), ...every(22, 53, 51)], [["raised", 22, 52]]],
    ["silent before", [at(0, 51), ...every(11, 42, 51)], [["raised", 11, 41]]],
    ["silent for as long as a reading speaks", [at(0, 51), at(10, 51), at(20, 51)], [["raised", 0, 30]]],
    ["silent when it is due", every(0, 19, 51), []],
    [
      "silent while raised",
      [...every(0, 31, 51), at(90, 51), at(91, 9)],
      [
        ["raised", 0, 30],
        ["resolved", 0, 91],
      ],
    ],
    [
      "in any order",
      [at(32, 50), ...every(0, 31, 51).reverse()],
      [
        ["raised", 0, 30],
        ["resolved", 0, 32],
      ],
    ],
    [
      "two episodes",
      [...every(0, 31, 51), at(32, 1), ...every(33, 64, 51)],
      [
        ["raised", 0, 30],
        ["resolved", 0, 32],
        ["raised", 33, 63],
      ],
    ],
  ])("%s", (_, readings, expected) => {
    expect(alertsOf(...readings)).toEqual(expected);
  });

  test("averages the readings of each minute that starts every ten seconds", () => {
    const recount = new Recount({ limits: new Map() });
    for (const reading of [at(5, 10), at(15, 20, "b"), at(65, 60)]) recount.add(reading);
    const rows = [...recount.averages().values()].toSorted((a, b) => a.start - b.start);
    expect(rows.map(({ start }) => (start - START) / 1000)).toEqual([
      -50, -40, -30, -20, -10, 0, 10, 20, 30, 40, 50, 60,
    ]);
    expect(rows[0]).toEqual({
      ...{ district: "park", start: START - 50_000 },
      ...{ readings: 1, temperature: 5, traffic: 2, airQuality: 10 },
    });
    expect(rows[5]).toMatchObject({ readings: 2, temperature: 10, airQuality: 15 });
    expect(rows[6]).toMatchObject({ readings: 2, temperature: 40, airQuality: 40 });
    expect(rows[11]).toMatchObject({ readings: 1, airQuality: 60 });
  });
});

describe("the comparison", () => {
  const alert = { sensor: "a", district: "park", kind: "raised", since: START, at: START + 30_000 } as const;
  const row = {
    district: "park",
    start: START,
    readings: 3,
    temperature: 0.1 + 0.2,
    traffic: 1,
    airQuality: 9,
  };

  test("names what is missing, what is too much, and what came twice", () => {
    expect(alertDifferences([alert], [alert])).toEqual([]);
    expect(alertDifferences([alert, alert], [alert])).toEqual([
      "a in park: raised at 2026-01-01T00:00:30.000Z, since 2026-01-01T00:00:00.000Z: 2 times, the recount says 1",
    ]);
    expect(alertDifferences([], [alert])).toHaveLength(1);
    expect(alertDifferences([{ ...alert, since: START + 1 }], [alert])).toHaveLength(2);
  });

  test("takes floats that differ by rounding as equal, and no others", () => {
    const map = (...rows: (typeof row)[]) =>
      new Map(rows.map((one) => [`${one.start} ${one.district}`, one]));
    expect(averageDifferences(map({ ...row, temperature: 0.3 }), map(row))).toEqual([]);
    expect(averageDifferences(map({ ...row, temperature: 0.3001 }), map(row))).toHaveLength(1);
    expect(averageDifferences(map({ ...row, readings: 2 }), map(row))).toHaveLength(1);
    expect(averageDifferences(map(), map(row))).toEqual([
      "window of park from 2026-01-01T00:00:00.000Z: missing",
    ]);
    expect(averageDifferences(map(row), map())).toHaveLength(1);
  });
});
