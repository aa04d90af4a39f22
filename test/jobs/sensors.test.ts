/** The sensors job in memory: its averages and alerts, held to cases by hand and to the simulator's recount. */
import { describe, expect, test } from "vitest";
import { City, type TimedReading } from "../../scripts/sensors/city.ts";
import { alertDifferences, averageDifferences } from "../../scripts/sensors/compare.ts";
import { Recount } from "../../scripts/sensors/recount.ts";
import type { Event, WindowResult } from "../../src/index.ts";
import type { Faults } from "../../src/testing/index.ts";
import { TestDriver } from "../../src/testing/index.ts";
import { Random } from "../../src/testing/random.ts";
import type { Averages } from "../../workers/jobs/sensors/district-averages.ts";
import { DistrictAverages } from "../../workers/jobs/sensors/district-averages.ts";
import { districts } from "../../workers/jobs/sensors/districts.ts";
import type { Alert } from "../../workers/jobs/sensors/pollution-alerts.ts";
import type { Reading } from "../../workers/jobs/sensors/reading.ts";
import { job } from "../../workers/jobs/sensors/sensors-job.ts";

const START = Date.UTC(2026, 0, 1);

function readingAt(seconds: number, airQuality: number, sensor = "a"): TimedReading {
  const measured = { temperature: 20, traffic: 5, airQuality };
  return { sensor, district: "park", ...measured, time: START + seconds * 1000 };
}

function every(from: number, to: number, airQuality: number): TimedReading[] {
  return Array.from({ length: to - from + 1 }, (_, n) => readingAt(from + n, airQuality));
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = new Random(seed);
  const order = [...items];
  for (let n = order.length - 1; n > 0; n--) {
    const other = random.below(n + 1);
    [order[n], order[other]] = [order[other] as T, order[n] as T];
  }
  return order;
}

describe("the averages", () => {
  const averages = new DistrictAverages("averages");
  const event = (reading: Reading): Event<Reading> => ({ id: "1", time: START, data: reading });

  test("are the same however readings are grouped", () => {
    const readings = Array.from({ length: 20 }, (_, n) => event({ ...readingAt(n, n * n), traffic: n }));
    const sums = (some: readonly Event<Reading>[]) =>
      some.reduce((sum, one) => averages.add(sum, one), averages.create());
    const whole = averages.result(sums(readings));
    expect(whole).toEqual({ readings: 20, temperature: 20, traffic: 9.5, airQuality: 123.5 });
    for (const cut of [0, 1, 7, 20]) {
      const [left, right] = [sums(readings.slice(0, cut)), sums(readings.slice(cut))];
      expect(averages.result(averages.merge(left, right))).toEqual(whole);
      expect(averages.result(averages.merge(right, left))).toEqual(whole);
    }
  });

  test("are numbers without a reading, too", () => {
    const none = { readings: 0, temperature: 0, traffic: 0, airQuality: 0 };
    expect(averages.result(averages.create())).toEqual(none);
  });
});

describe("an alert", () => {
  async function alertsOf(...steps: (readonly TimedReading[] | number)[]): Promise<unknown[]> {
    const driver = new TestDriver(job, { watermarks: "explicit", faults: { duplicates: true } });
    const alerts = driver.output<Alert>("pollution");
    for (const step of steps) {
      if (typeof step === "number") await driver.watermark(START + step * 1000);
      else await driver.send("readings", ...step);
    }
    // Within a step rows come by what they go back to, and that is a reading or a timer.
    const inTime = alerts.read().toSorted((one, other) => one.time - other.time);
    const rows = inTime.map(({ time, data }) => {
      expect(time).toBe(data.at);
      return [data.kind, (data.since - START) / 1000, (data.at - START) / 1000];
    });
    expect(driver.deadLetters()).toEqual([]);
    return rows;
  }

  test("is raised when the watermark has come to 30 s, and not before", async () => {
    expect(await alertsOf(every(0, 31, 51), 29.999)).toEqual([]);
    expect(await alertsOf(every(0, 31, 51), 30)).toEqual([["raised", 0, 30]]);
  });

  test("is resolved by the first reading within the limit", async () => {
    expect(await alertsOf(every(0, 39, 51), 38, [readingAt(40, 50)], 40)).toEqual([
      ["raised", 0, 30],
      ["resolved", 0, 40],
    ]);
  });

  test.each([
    ["for pollution at the limit", every(0, 60, 50)],
    ["for less than 30 s", [...every(0, 29, 51), readingAt(30, 50)]],
    [
      "for 50 s with a moment within in the middle",
      [...every(0, 24, 51), readingAt(25, 1), ...every(26, 50, 51), readingAt(51, 1)],
    ],
    ["for a sensor that has been silent when it is due", every(0, 19, 51)],
    [
      "for one that was silent for too long in between",
      [readingAt(0, 51), ...every(11, 40, 51), readingAt(41, 1)],
    ],
  ])("is not raised %s", async (_, readings) => {
    expect(await alertsOf(readings, 200)).toEqual([]);
    // In one go or second by second, and in any order within what the watermark allows.
    expect(await alertsOf(...readings.flatMap((one) => [[one], (one.time - START) / 1000]), 200)).toEqual([]);
    expect(await alertsOf(shuffled(readings, 1), 200)).toEqual([]);
  });

  test("stays while its sensor is silent", async () => {
    expect(
      await alertsOf(every(0, 31, 51), 500, [readingAt(600, 99)], 700, [readingAt(701, 1)], 800),
    ).toEqual([
      ["raised", 0, 30],
      ["resolved", 0, 701],
    ]);
  });

  test("is raised once for each episode", async () => {
    const readings = [...every(0, 60, 51), readingAt(61, 1), ...every(62, 120, 51), readingAt(121, 1)];
    const expected = [
      ["raised", 0, 30],
      ["resolved", 0, 61],
      ["raised", 62, 92],
      ["resolved", 62, 121],
    ];
    expect(await alertsOf(readings, 200)).toEqual(expected);
    expect(await alertsOf(shuffled(readings, 2), 200)).toEqual(expected);
  });

  test("is not affected by a reading that comes too late: that goes to the side output", async () => {
    const driver = new TestDriver(job, { watermarks: "explicit" });
    const alerts = driver.output<Alert>("pollution");
    const late = driver.output<Reading>("pollution", "late");
    await driver.send("readings", ...every(0, 20, 51));
    await driver.watermark(START + 20_000);
    await driver.send("readings", readingAt(15, 1), ...every(21, 31, 51));
    await driver.watermark("end");
    expect(alerts.read().map(({ data }) => data.kind)).toEqual(["raised"]);
    expect(late.read().map(({ data }) => data.airQuality)).toEqual([1]);
    expect(driver.stats("pollution").flows.readings).toMatchObject({ applied: 32, late: 1, dead: 0 });
  });

  test("is in the view of its sensor, and goes to the webhook", async () => {
    const driver = new TestDriver(job, { watermarks: "explicit" });
    await driver.send("readings", ...every(0, 31, 51), readingAt(31, 200, "b"));
    await driver.watermark(START + 31_000);
    const raised = { sensor: "a", district: "park", kind: "raised", since: START, at: START + 30_000 };
    expect(driver.view("alerts").entries()).toEqual([{ key: "a", value: raised }]);
    await driver.send("readings", readingAt(32, 1));
    await driver.watermark(START + 32_000);
    const resolved = { ...raised, kind: "resolved", at: START + 32_000 };
    expect(driver.view("alerts").get("a")).toEqual(resolved);
    expect(driver.view("alerts-raised").entries()).toEqual([{ key: "a", value: 1 }]);
    const posted = driver
      .sink<Alert>("alert-hook")
      .read()
      .flatMap(({ events }) => events);
    expect(posted.map(({ data }) => data)).toEqual([raised, resolved]);
  });

  test("is posted to nobody when the deployment does not say to whom", async () => {
    const driver = new TestDriver(job, { watermarks: "explicit", sinks: "write" });
    await driver.send("readings", ...every(0, 31, 51));
    await driver.watermark("end");
    expect(driver.sink("alert-hook").batches).toHaveLength(1);
    expect(driver.failures).toEqual([]);
    expect(driver.backlog().sinks).toEqual({ "alert-hook": 0 });
  });
});

describe("a city", () => {
  const options = { sensors: 120, seconds: 90, seed: 3, perGateway: 40 };

  test.each<[string, number, Faults]>([
    ["1 shard", 1, {}],
    ["4 shards, each message twice, in any order", 4, { duplicates: true, shuffle: 5 }],
    ["16 shards, each message twice", 16, { duplicates: true }],
  ])("%s: averages and alerts are those of the recount", async (_, shards, faults) => {
    const city = new City(options);
    const recount = new Recount({ limits: districts });
    const driver = new TestDriver(job, { watermarks: "explicit", shards, faults });
    const averages = driver.output<WindowResult<Averages>>("district-averages");
    const alerts = driver.output<Alert>("pollution");
    const requests: TimedReading[][] = [];
    for (let second = 0; second < options.seconds; second++) {
      for (let gateway = 0; gateway < city.gateways; gateway++) {
        const readings = city
          .sensorsOf(gateway)
          .map((sensor) => city.reading(sensor, START, START + second * 1000 + ((sensor * 37) % 1000)))
          .filter((reading) => reading !== undefined);
        for (const reading of readings) recount.add(reading);
        requests.push(readings);
      }
    }
    // Watermarks in between; what is shuffled is between two of them.
    const each = 10 * city.gateways;
    for (let from = 0; from < requests.length; from += each) {
      for (const request of shuffled(requests.slice(from, from + each), from + 1)) {
        await driver.sendBatch("readings", request);
      }
      await driver.restart();
      await driver.watermark(START + ((from + each) / city.gateways) * 1000 - 1);
      await driver.restart();
    }
    await driver.watermark("end");
    const rows = averages.read().map(({ data: { key, window, value } }) => {
      const row = { district: key, start: window.start, ...value };
      return [`${row.start} ${row.district}`, row] as const;
    });
    expect(rows).toHaveLength(recount.averages().size);
    expect(averageDifferences(new Map(rows), recount.averages())).toEqual([]);
    const expected = recount.alerts();
    expect(expected.length).toBeGreaterThan(3);
    expect(
      alertDifferences(
        alerts.read().map(({ data }) => data),
        expected,
      ),
    ).toEqual([]);
    expect(driver.deadLetters()).toEqual([]);
  });
});

test("refuses what is no reading, and says why", async () => {
  const driver = new TestDriver(job);
  const good = readingAt(0, 10);
  await expect(driver.send("readings", { ...good, district: "atlantis" })).rejects.toThrow(
    "district: not in the register of districts",
  );
  await expect(driver.send("readings", { ...good, sensor: "" })).rejects.toThrow("sensor: empty");
  await expect(driver.send("readings", { ...good, traffic: "much" })).rejects.toThrow("traffic: ");
  await expect(driver.send("readings", { ...good, airQuality: undefined })).rejects.toThrow(
    "airQuality: missing",
  );
});
