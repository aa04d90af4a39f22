/**
 * Nexmark's query 11, user sessions: how many bids somebody made in each session. A session is over when they made none for
 * ten seconds.
 */
import { count, Job, planJobs, session } from "../../../src/index.ts";
import { isBid } from "./model.ts";
import { NexmarkSource } from "./nexmark-source.ts";

export const job = new Job("nexmark-q11");

export const userSessions = job
  .addSource(new NexmarkSource("events"))
  .filter(isBid)
  .keyBy(({ bidder }) => String(bidder))
  .window(session("10 seconds"))
  .aggregate("bids-per-session", count());

export const plan = planJobs([job]);
