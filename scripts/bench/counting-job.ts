/**
 * The register of the bench: the article's job and nothing else, a count by URL, since that is what the other contenders
 * do. The deployment's own register counts by minute as well.
 */
import { Job, planJobs } from "../../src/index.ts";
import { ClickReader } from "../../workers/jobs/clickstream/click-reader.ts";
import { PageViewCounter } from "../../workers/jobs/clickstream/page-view-counter.ts";

const job = new Job("clickstream");
job
  .addSource(new ClickReader("clicks"))
  .keyBy((click) => click.url)
  .applyOperator(new PageViewCounter("page-views"));

export const jobs = [job];
export const plan = planJobs(jobs, { generation: 1 });
