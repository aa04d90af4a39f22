/** Exercise 4: one source, two streams: a counter, and a log of all clicks in files. */
import { files, Job, planJobs } from "../../../src/index.ts";
import { ClickReader } from "../clickstream/click-reader.ts";
import { PageViewCounter } from "../clickstream/page-view-counter.ts";

export const job = new Job("exercise-4");

const clicks = job.addSource(new ClickReader("clicks"));

clicks.keyBy(({ url }) => url).applyOperator(new PageViewCounter("page-views"));
// Small files, soon: a real log would wait for thousands of events or for the hour.
clicks.addSink(files("click-log", { maxTime: "5 seconds" }));

export const plan = planJobs([job]);
