/** Exercise 6 for those who have no five seconds for each click. */
import { planJobs } from "../../../src/index.ts";
import { slowJob } from "../../../workers/jobs/exercises/6-slow-operator.ts";

export const plan = planJobs([slowJob(250)]);
