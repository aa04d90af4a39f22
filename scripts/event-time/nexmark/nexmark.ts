/** Nexmark's queries as benchmarks. */
import type { Job, Stream, TopResult, WindowResult } from "../../../src/index.ts";
import type { HighestBid } from "../../../workers/jobs/nexmark/highest-bids.ts";
import type { NexmarkEvent } from "../../../workers/jobs/nexmark/model.ts";
import * as q5 from "../../../workers/jobs/nexmark/q5-hot-items.ts";
import * as q7 from "../../../workers/jobs/nexmark/q7-highest-bid.ts";
import * as q8 from "../../../workers/jobs/nexmark/q8-new-users.ts";
import * as q11 from "../../../workers/jobs/nexmark/q11-user-sessions.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Recount } from "../recount.ts";
import { nexmarkEvents } from "./generator.ts";
import { highestBids, hotItems, newUsers, userSessions } from "./recount.ts";

function query<T>(
  name: string,
  job: Job,
  stream: Stream<T>,
  lines: (data: T) => string[],
  recount: (events: Iterable<NexmarkEvent>) => Recount,
): Benchmark {
  return {
    name,
    job,
    source: "events",
    results: { stream: stream as Stream<unknown>, lines: (data) => lines(data as T) },
    bound: 5_000,
    *events(events, seed) {
      for (const record of nexmarkEvents({ events, seed })) yield { time: record.dateTime, record };
    },
    recount: (events, seed) => recount(nexmarkEvents({ events, seed })),
  };
}

const hottest = ({ value }: WindowResult<TopResult[]>) =>
  value.map(({ key, window, value: bids }) => `${window.start} ${window.end} ${key} ${bids}`);

const highest = ({ window, value }: WindowResult<HighestBid[]>) =>
  value.map(
    ({ auction, bidder, price, dateTime }) => `${window.start} ${auction} ${bidder} ${price} ${dateTime}`,
  );

const fresh = ({ start, person, name, auction, reserve }: q8.NewUser) => [
  `${start} ${person} ${name} ${auction} ${reserve}`,
];

const visits = ({ key, window, value }: WindowResult<number>) => [
  `${key} ${window.start} ${window.end} ${value}`,
];

export const nexmark: readonly Benchmark[] = [
  query("q5", q5.job, q5.hotItems, hottest, hotItems),
  query("q7", q7.job, q7.highestBid, highest, highestBids),
  query("q8", q8.job, q8.newUsers, fresh, newUsers),
  query("q11", q11.job, q11.userSessions, visits, userSessions),
];
