/** The Yahoo Streaming Benchmark in memory: its counts and its late events, held to cases by hand and to a plain recount. */
import { describe, expect, test } from "vitest";
import { compare } from "../../scripts/event-time/report.ts";
import { run } from "../../scripts/event-time/run.ts";
import { adEvents } from "../../scripts/event-time/ysb/generator.ts";
import { recountAds } from "../../scripts/event-time/ysb/recount.ts";
import { ysbOf } from "../../scripts/event-time/ysb/ysb.ts";
import { RejectedRecordsError, TestDriver } from "../../src/testing/index.ts";
import type { AdEvent } from "../../workers/jobs/ysb/ad-event.ts";
import { campaignViews, job } from "../../workers/jobs/ysb/ysb-job.ts";

const START = Date.UTC(2026, 0, 1);

function adEvent(ad: number, seconds: number, type: AdEvent["event_type"] = "view"): AdEvent {
  const who = { user_id: "user-1", page_id: "page-1", ip_address: "1.2.3.4" };
  return {
    ...who,
    ad_id: `ad-${ad}`,
    ad_type: "mail",
    event_type: type,
    event_time: START + seconds * 1_000,
  };
}

describe("the job", () => {
  test("counts views by campaign and ten seconds, and nothing else", async () => {
    const driver = new TestDriver(job, { watermarks: "explicit" });
    const views = driver.output(campaignViews);
    const sent = [adEvent(0, 1), adEvent(9, 9.999), adEvent(10, 3), adEvent(0, 10), adEvent(0, 2, "click")];
    await driver.sendBatch("ads", sent);
    await driver.watermark(START + 9_999);
    expect(views.read().map(({ time, data }) => [time - START, data.key, data.value])).toEqual([
      [9_999, "campaign-0", 2],
      [9_999, "campaign-1", 1],
    ]);
    await driver.watermark("end");
    expect(views.read().map(({ data }) => [data.window.start - START, data.key, data.value])).toEqual([
      [10_000, "campaign-0", 1],
    ]);
  });

  test("follows the clock without a stated watermark: windows close five seconds after their end", async () => {
    const driver = new TestDriver(job, { start: START });
    const views = driver.output(campaignViews);
    const late = driver.output(campaignViews.late);
    await driver.send("ads", adEvent(0, -4), adEvent(5, 0));
    await driver.advance("5 seconds");
    expect(views.read().map(({ data }) => [data.window.start - START, data.value])).toEqual([[-10_000, 1]]);
    await driver.send("ads", adEvent(0, -1), adEvent(0, 0.5));
    expect(late.read().map(({ time }) => time - START)).toEqual([-1_000]);
    await driver.advance("10.001 seconds");
    expect(views.read().map(({ data }) => [data.window.start - START, data.value])).toEqual([[0, 2]]);
  });

  test("rejects an ad that is in no campaign", async () => {
    const driver = new TestDriver(job, { watermarks: "explicit" });
    const sending = driver.sendBatch("ads", [adEvent(999, 1), adEvent(1_000, 1)]);
    await expect(sending).rejects.toThrow(RejectedRecordsError);
    await driver.watermark("end");
    const values = driver.view("campaign-views").windows();
    expect(values.map(({ key, value }) => [key, value])).toEqual([["campaign-99", 1]]);
  });
});

describe("the generator", () => {
  const events = [...adEvents({ events: 20_000, lateOneIn: 50 })];

  test("is the same for a seed, and another one for another", () => {
    expect([...adEvents({ events: 20_000, lateOneIn: 50 })]).toEqual(events);
    const [other] = adEvents({ events: 1, seed: 2 });
    expect(other).not.toEqual(events[0]);
  });

  test("a third are views; all campaigns, ads and types come", () => {
    const views = events.filter(({ event_type }) => event_type === "view").length;
    expect(views / events.length).toBeCloseTo(1 / 3, 1);
    expect(new Set(events.map(({ ad_id }) => ad_id)).size).toBe(1_000);
    expect(new Set(events.map(({ ad_type }) => ad_type)).size).toBe(5);
  });

  test("is out of order within the bound, but for one in fifty", () => {
    let latest = 0;
    let [behind, beyond] = [0, 0];
    for (const { event_time } of events) {
      if (event_time < latest) behind++;
      if (event_time < latest - 5_000) beyond++;
      latest = Math.max(latest, event_time);
    }
    expect(behind).toBeGreaterThan(15_000);
    expect(beyond).toBeGreaterThan(300);
    expect(beyond).toBeLessThan(500);
  });
});

test("the recount, by hand: a view is late when the request before it has closed its window", () => {
  const at = (seconds: number) => ({ ...adEvent(0, seconds), event_time: START + seconds * 1_000 });
  const [borderline, closing] = [at(14.999), at(15)];
  const counts = (events: ReturnType<typeof at>[], perRequest: number) => recountAds(events, { perRequest });
  expect(counts([borderline, at(9)], 1).late).toEqual([]);
  expect(counts([closing, at(9)], 1).late).toEqual([`${START + 9_000} campaign-0 ad-0`]);
  expect(counts([closing, at(9)], 2).late).toEqual([]);
  expect(counts([closing, at(10)], 1).results).toEqual([`${START + 10_000} campaign-0 2`]);
});

describe.each([
  ["late events are counted", { lateOneIn: 50 }],
  ["late events are read", { lateOneIn: 50, readLate: true }],
])("%s", (_, options) => {
  const benchmark = ysbOf(options);
  const [events, perRequest, seed] = [20_000, 500, 3];
  const wanted = benchmark.recount(events, seed, perRequest);

  test.each([
    ["1 shard", { shards: 1 }],
    ["16 shards", { shards: 16 }],
    [
      "all twice, and shards that wake anew after every request",
      { faults: { duplicates: true, restarts: true } },
    ],
  ])("equal to the recount: %s", async (_how, how) => {
    const got = await run(benchmark, { events, perRequest, seed, ...how });
    expect(compare("ysb", events, got, wanted).differences).toEqual([]);
    expect(got.lateCount).toBeGreaterThan(50);
    expect(got.results.length).toBeGreaterThan(300);
  });

  test("a run that is not as the recount is told", async () => {
    const got = await run(benchmark, { events, perRequest, seed });
    const other = benchmark.recount(events, seed, 2 * perRequest);
    expect(compare("ysb", events, got, other).differences.length).toBeGreaterThan(0);
  });
});
