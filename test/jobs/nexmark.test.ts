/** Nexmark's queries in memory: held to cases by hand, with ties, and to plain recounts. */
import { describe, expect, test } from "vitest";
import { nexmarkEvents } from "../../scripts/event-time/nexmark/generator.ts";
import { nexmark } from "../../scripts/event-time/nexmark/nexmark.ts";
import { highestBids, hotItems, newUsers, userSessions } from "../../scripts/event-time/nexmark/recount.ts";
import { compare } from "../../scripts/event-time/report.ts";
import { run } from "../../scripts/event-time/run.ts";
import type { Job, Stream } from "../../src/index.ts";
import { RejectedRecordsError, TestDriver } from "../../src/testing/index.ts";
import { queries } from "../../workers/jobs/nexmark/index.ts";
import type { Auction, Bid, NexmarkEvent, Person } from "../../workers/jobs/nexmark/model.ts";
import * as q5 from "../../workers/jobs/nexmark/q5-hot-items.ts";
import * as q7 from "../../workers/jobs/nexmark/q7-highest-bid.ts";
import * as q8 from "../../workers/jobs/nexmark/q8-new-users.ts";
import * as q11 from "../../workers/jobs/nexmark/q11-user-sessions.ts";

const START = Date.UTC(2026, 0, 1);

function bid(auction: number, seconds: number, { bidder = 1, price = 100 } = {}): Bid {
  return { type: "bid", auction, bidder, price, dateTime: START + seconds * 1_000, extra: "" };
}

function person(id: number, seconds: number): Person {
  const where = { emailAddress: "a@b.com", creditCard: "1", city: "Bend", state: "OR", extra: "" };
  return { type: "person", id, name: `person ${id}`, dateTime: START + seconds * 1_000, ...where };
}

function auction(id: number, seller: number, seconds: number): Auction {
  const dateTime = START + seconds * 1_000;
  const item = {
    itemName: "",
    description: "",
    initialBid: 1,
    expires: dateTime + 1,
    category: 10,
    extra: "",
  };
  return { type: "auction", id, seller, reserve: 10 * id, dateTime, ...item };
}

/** What comes out of a job for these events, with times relative to START. */
async function resultsOf<T>(job: Job, stream: Stream<T>, events: readonly NexmarkEvent[]): Promise<T[]> {
  const driver = new TestDriver(job, { watermarks: "explicit" });
  const output = driver.output(stream);
  await driver.sendBatch("events", events);
  await driver.watermark("end");
  expect(driver.deadLetters()).toEqual([]);
  return output.read().map(({ data }) => data);
}

function inSeconds({ start, end }: { readonly start: number; readonly end: number }): [number, number] {
  return [(start - START) / 1_000, (end - START) / 1_000];
}

describe("by hand", () => {
  test("q5: the auctions with the most bids in each ten seconds, ties and all", async () => {
    const bids = [bid(1, 1), bid(2, 1.5), bid(2, 9), bid(1, 10.5)];
    const found = await resultsOf(q5.job, q5.hotItems, bids);
    const rows = found.flatMap(({ value }) =>
      value.map(({ key, window, value: count }) => [...inSeconds(window), key, count]),
    );
    expect(rows).toEqual([
      [-8, 2, "1", 1],
      [-8, 2, "2", 1],
      [-6, 4, "1", 1],
      [-6, 4, "2", 1],
      [-4, 6, "1", 1],
      [-4, 6, "2", 1],
      [-2, 8, "1", 1],
      [-2, 8, "2", 1],
      [0, 10, "2", 2],
      [2, 12, "1", 1],
      [2, 12, "2", 1],
      [4, 14, "1", 1],
      [4, 14, "2", 1],
      [6, 16, "1", 1],
      [6, 16, "2", 1],
      [8, 18, "1", 1],
      [8, 18, "2", 1],
      [10, 20, "1", 1],
    ]);
    const wanted = rows.map(([start, end, ...rest]) =>
      [START + Number(start) * 1_000, START + Number(end) * 1_000, ...rest].join(" "),
    );
    expect(hotItems(bids).results.toSorted()).toEqual(wanted.toSorted());
  });

  test("q7: the bids with the highest price of each ten seconds, ties in different parts and in one", async () => {
    const bids = [
      bid(1, 1, { price: 500 }),
      bid(2, 2, { price: 900 }),
      bid(3, 3, { price: 900 }),
      bid(3, 3, { price: 900 }),
      bid(19, 2.5, { price: 900 }),
      bid(4, 10, { price: 7 }),
    ];
    const found = await resultsOf(q7.job, q7.highestBid, bids);
    const rows = found.map(({ window, value }) => [...inSeconds(window), value.map((one) => one.auction)]);
    expect(rows).toEqual([
      [0, 10, [2, 19, 3, 3]],
      [10, 20, [4]],
    ]);
    expect(highestBids(bids).results).toHaveLength(5);
  });

  test("q8: who registered and opened an auction in the same ten seconds, for each auction", async () => {
    const events = [
      ...[person(1, 1), person(2, 8), person(3, 11)],
      ...[
        auction(10, 1, 0.5),
        auction(11, 1, 9.999),
        auction(12, 2, 10),
        auction(13, 3, 12),
        auction(14, 9, 1),
      ],
    ];
    const found = await resultsOf(q8.job, q8.newUsers, events);
    expect(found.map(({ start, ...rest }) => ({ ...rest, start: start - START }))).toEqual([
      { person: 1, name: "person 1", auction: 10, reserve: 100, start: 0 },
      { person: 1, name: "person 1", auction: 11, reserve: 110, start: 0 },
      { person: 3, name: "person 3", auction: 13, reserve: 130, start: 10_000 },
    ]);
    expect(newUsers(events).results).toHaveLength(3);
  });

  test("q11: bids of a bidder until none came for ten seconds; what comes after just ten still belongs to it", async () => {
    const bids = [bid(1, 0), bid(1, 10), bid(2, 20.001), bid(1, 3, { bidder: 2 }), bid(1, 1)];
    const found = await resultsOf(q11.job, q11.userSessions, bids);
    const rows = found.map(({ key, window, value }) => [key, ...inSeconds(window), value]);
    expect(rows.toSorted()).toEqual([
      ["1", 0, 20, 3],
      ["1", 20.001, 30.001, 1],
      ["2", 3, 13, 1],
    ]);
    expect(userSessions(bids).results).toHaveLength(3);
  });

  test("a record that is none of the three is rejected", async () => {
    const driver = new TestDriver(q11.job, { watermarks: "explicit" });
    const wrong = [
      { ...bid(1, 1), type: "offer" },
      { ...bid(1, 1), price: "1" },
    ];
    await expect(driver.sendBatch("events", [bid(1, 1), ...wrong])).rejects.toThrow(RejectedRecordsError);
  });
});

describe("the generator", () => {
  const events = [...nexmarkEvents({ events: 50_000 })];
  const byType = Map.groupBy(events, ({ type }) => type);
  const bids = byType.get("bid") as Bid[];
  const auctions = byType.get("auction") as Auction[];
  const people = byType.get("person") as Person[];

  test("is the same for a seed, and another one for another", () => {
    expect([...nexmarkEvents({ events: 5_000 })]).toEqual(events.slice(0, 5_000));
    expect([...nexmarkEvents({ events: 10, seed: 2 })]).not.toEqual(events.slice(0, 10));
  });

  test("of each fifty, one is a person, three are auctions and the rest bids, each with an id of its own", () => {
    expect([people.length, auctions.length, bids.length]).toEqual([1_000, 3_000, 46_000]);
    expect(people.map(({ id }) => id).sort((a, b) => a - b)).toEqual(people.map((_, n) => 1_000 + n));
    expect(auctions.map(({ id }) => id).sort((a, b) => a - b)).toEqual(auctions.map((_, n) => 1_000 + n));
  });

  test("half of the bids are for hot auctions, three in four by hot bidders and of hot sellers", () => {
    const share = (hot: number, all: number) => hot / all;
    const hotAuctions = bids.filter(({ auction: id }) => id % 100 === 0).length;
    const hotBidders = bids.filter(({ bidder }) => bidder % 100 === 1).length;
    const hotSellers = auctions.filter(({ seller }) => seller % 100 === 0).length;
    expect(share(hotAuctions, bids.length)).toBeCloseTo(0.5, 1);
    expect(share(hotBidders, bids.length)).toBeCloseTo(0.75, 1);
    expect(share(hotSellers, auctions.length)).toBeCloseTo(0.75, 1);
  });

  test("time follows the number of the event: a thousand a second, out of order by less than five seconds", () => {
    const times = events.map(({ dateTime }) => dateTime);
    const first = Math.min(...times);
    expect(times.map((time) => time - first).sort((a, b) => a - b)).toEqual(times.map((_, n) => n));
    let [latest, furthest] = [0, 0];
    for (const time of times) {
      furthest = Math.max(furthest, latest - time);
      latest = Math.max(latest, time);
    }
    expect(furthest).toBeGreaterThan(4_000);
    expect(furthest).toBeLessThan(5_000);
  });
});

test("each query is a job that Workers can run alone", () => {
  expect([...queries.keys()]).toEqual(["nexmark-q5", "nexmark-q7", "nexmark-q8", "nexmark-q11"]);
  for (const [name, { plan }] of queries) {
    expect(plan.jobs.map(({ job }) => job)).toEqual([name]);
    expect([...plan.sources.keys()]).toEqual(["events"]);
  }
});

describe.each(nexmark.map((benchmark) => [benchmark.name, benchmark] as const))("%s", (name, benchmark) => {
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
    expect(wanted.results.length).toBeGreaterThan(2);
    expect(compare(name, events, got, wanted).differences).toEqual([]);
  });

  test("events that are missing are told", async () => {
    const got = await run(benchmark, { events: events / 2, perRequest, seed });
    expect(compare(name, events, got, wanted).differences.length).toBeGreaterThan(0);
  });
});
