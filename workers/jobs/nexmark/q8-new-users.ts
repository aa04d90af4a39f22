/**
 * Nexmark's query 8, monitor new users: who has registered, and opened an auction, within the same ten seconds; one result
 * for each of their auctions.
 */
import { count, Job, planJobs, tumbling } from "../../../src/index.ts";
import { isAuction, isPerson } from "./model.ts";
import { NexmarkSource } from "./nexmark-source.ts";

export interface NewUser {
  readonly person: number;
  readonly name: string;
  readonly auction: number;
  readonly reserve: number;
  /** Of the window, epoch milliseconds. */
  readonly start: number;
}

const PERIOD = "10 seconds";

export const job = new Job("nexmark-q8");

const events = job.addSource(new NexmarkSource("events"));

// A window keeps what comes to it until its end: only what the result needs.
const people = events.filter(isPerson).map(({ id, name }) => ({ person: id, name }));
const auctions = events
  .filter(isAuction)
  .map(({ id, seller, reserve }) => ({ auction: id, seller, reserve }));

export const newUsers = people
  .keyBy(({ person }) => String(person))
  .window(tumbling(PERIOD))
  .join(
    "sellers-among-new-users",
    auctions.keyBy(({ seller }) => String(seller)),
    (user, { auction, reserve }, { start }): NewUser => ({ ...user, auction, reserve, start }),
  );

// To be read by time: who they are, and how many auctions each has opened.
newUsers
  .keyBy(({ person }) => String(person))
  .window(tumbling(PERIOD))
  .aggregate("new-users", count());

export const plan = planJobs([job]);
