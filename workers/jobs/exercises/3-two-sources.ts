/** Exercise 3: a second source, which makes its clicks itself, is counted by the same operator. */
import { generator, Job, planJobs } from "../../../src/index.ts";
import type { Click } from "../clickstream/click-event.ts";
import { ClickReader } from "../clickstream/click-reader.ts";
import { PageViewCounter } from "../clickstream/page-view-counter.ts";

const PAGES = ["/home", "/about", "/products/lamp", "/products/chair"];

export const job = new Job("exercise-3");

const clicks = job.addSource(new ClickReader("clicks"));
const robots = job.addSource(
  generator("robots", { rate: 4, make: (n): Click => ({ url: PAGES[n % PAGES.length] ?? "/" }) }),
);

clicks
  .union(robots)
  .keyBy(({ url }) => url)
  .applyOperator(new PageViewCounter("page-views"));

export const plan = planJobs([job]);
