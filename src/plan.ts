/** Plan: the registered jobs mapped on queues, consumers and shards; and what a change of it means for the one that runs. */

export type { PlannedBinding } from "./plan/bindings.ts";
export { bindingsOf } from "./plan/bindings.ts";
export type { Change, ChangeOptions } from "./plan/changes/change.ts";
export { changesOf, mustFollow } from "./plan/changes/changes.ts";
export type * from "./plan/describe.ts";
export { byName, describePlan } from "./plan/describe.ts";
export { isTimed } from "./plan/event-time.ts";
export { DEFAULT_MAX_KEYS, DEFAULT_SHARDS } from "./plan/operator-plans.ts";
export * from "./plan/plan.ts";
export { planJobs } from "./plan/plan-jobs.ts";
