/** The register: the jobs that this deployment runs. Adding a job is one file in this folder and one line here. */
import { planJobs } from "../../src/index.ts";
import { clickstream } from "./clickstream/clickstream-job.ts";
import { slowLane } from "./slow-lane/slow-lane-job.ts";

// The first is the one that `npm start` reads lines for.
export const jobs = [clickstream, slowLane];

/** What the Workers run. Bump `generation` when stored state moves to other shards or names. */
export const plan = planJobs(jobs, { generation: 1 });
