/**
 * The Yahoo Streaming Benchmark: how often the ads of each campaign were seen in each ten seconds.
 *
 * Source: "Benchmarking Streaming Computation Engines at Yahoo!" (2015), github.com/yahoo/streaming-benchmarks: filter the
 * views, find each ad's campaign, count by campaign and ten-second window of event time. A view that comes after its
 * window was closed goes to the side output `late` and is counted; the benchmark's own programs count it in Redis.
 */
import { count, Job, planJobs, tumbling } from "../../../src/index.ts";
import { AdSource } from "./ad-source.ts";
import { campaignOf } from "./campaigns.ts";

export const job = new Job("ysb");

const ads = job.addSource(new AdSource("ads", { outOfOrderness: "5 seconds" }));

export const campaignViews = ads
  .filter(({ event_type }) => event_type === "view")
  // The source takes no ad without a campaign.
  .map(({ ad_id }) => ({ ad: ad_id, campaign: campaignOf(ad_id) ?? "none" }))
  .keyBy(({ campaign }) => campaign)
  .window(tumbling("10 seconds"))
  .aggregate("campaign-views", count());

export const plan = planJobs([job]);
