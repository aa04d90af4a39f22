/** The register of the article's exercises: `npm start -- --job exercise-1` runs one. They are no part of the deployment. */
import type { Job, Plan } from "../../../src/index.ts";
import * as onlyProducts from "./1-only-products.ts";
import * as viewsPerMinute from "./2-views-per-minute.ts";
import * as twoSources from "./3-two-sources.ts";
import * as twoStreams from "./4-two-streams.ts";
import * as afterARestart from "./5-after-a-restart.ts";
import * as slowOperator from "./6-slow-operator.ts";

/** Each is a deployment of its own, as each has a source "clicks". */
export interface Exercise {
  /** In this folder. A module that exports `plan`, like the register of the deployment. */
  readonly file: string;
  readonly job: Job;
  readonly plan: Plan;
}

const all: readonly Exercise[] = [
  { file: "1-only-products.ts", ...onlyProducts },
  { file: "2-views-per-minute.ts", ...viewsPerMinute },
  { file: "3-two-sources.ts", ...twoSources },
  { file: "4-two-streams.ts", ...twoStreams },
  { file: "5-after-a-restart.ts", ...afterARestart },
  { file: "6-slow-operator.ts", ...slowOperator },
];

/** By the name of their job. */
export const exercises: ReadonlyMap<string, Exercise> = new Map(
  all.map((exercise) => [exercise.job.name, exercise]),
);
