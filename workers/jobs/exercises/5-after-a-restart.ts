/** Exercise 5: counts that survive a restart. The article's counter has a map in memory; this one's is in shards. */
import { Job, planJobs } from "../../../src/index.ts";
import { ClickReader } from "../clickstream/click-reader.ts";
import { PageViewCounter } from "../clickstream/page-view-counter.ts";

export const job = new Job("exercise-5");

const clicks = job.addSource(new ClickReader("clicks"));

clicks.keyBy(({ url }) => url).applyOperator(new PageViewCounter("page-views"));

export const plan = planJobs([job]);
