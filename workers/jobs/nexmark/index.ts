/** The register of Nexmark's queries: `npm start -- --job nexmark-q5` runs one. They are no part of the deployment. */
import type { Job, Plan } from "../../../src/index.ts";
import * as hotItems from "./q5-hot-items.ts";
import * as highestBid from "./q7-highest-bid.ts";
import * as newUsers from "./q8-new-users.ts";
import * as userSessions from "./q11-user-sessions.ts";

/** Each is a deployment of its own, as each has a source "events". */
export interface Query {
  /** In this folder. A module that exports `plan`, like the register of the deployment. */
  readonly file: string;
  readonly job: Job;
  readonly plan: Plan;
}

const all: readonly Query[] = [
  { file: "q5-hot-items.ts", ...hotItems },
  { file: "q7-highest-bid.ts", ...highestBid },
  { file: "q8-new-users.ts", ...newUsers },
  { file: "q11-user-sessions.ts", ...userSessions },
];

/** By the name of their job. */
export const queries: ReadonlyMap<string, Query> = new Map(all.map((query) => [query.job.name, query]));
