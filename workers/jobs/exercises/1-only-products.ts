/** Exercise 1: counts only the pages below `/products/`. */
import { Job, planJobs } from "../../../src/index.ts";
import { ClickReader } from "../clickstream/click-reader.ts";
import { PageViewCounter } from "../clickstream/page-view-counter.ts";

export const job = new Job("exercise-1");

const clicks = job.addSource(new ClickReader("clicks"));

clicks
  .filter(({ url }) => url.startsWith("/products/"))
  .keyBy(({ url }) => url)
  .applyOperator(new PageViewCounter("product-views"));

export const plan = planJobs([job]);
