/** Millrace: stream processing on Cloudflare Workers. The public door, in the article's order. */
export type { Event, EventAttributes } from "./event.ts";
export type { SourceOptions } from "./source.ts";
export { Source } from "./source.ts";
export type { Collector, SourceCollector } from "./collector.ts";
export { KeyedStream, Stream } from "./stream.ts";
export type { KeyedResult } from "./stream.ts";
export { Aggregate, Operator } from "./operator.ts";
export type { AggregateOptions, Aggregator, OperatorContext } from "./operator.ts";
export { Job } from "./job.ts";
export { JobStarter } from "./engine/job-starter.ts";
export type { Inputs, JobStarterOptions, MemoryView } from "./engine/job-starter.ts";

export { approxDistinct } from "./aggregates/approx-distinct.ts";
export { average } from "./aggregates/average.ts";
export { count } from "./aggregates/count.ts";
export { distinct } from "./aggregates/distinct.ts";
export { first } from "./aggregates/first.ts";
export { last } from "./aggregates/last.ts";
export { max } from "./aggregates/max.ts";
export { min } from "./aggregates/min.ts";
export { quantiles } from "./aggregates/quantiles.ts";
export { sum } from "./aggregates/sum.ts";
export { top } from "./aggregates/top.ts";
export { parse } from "./sources/schema.ts";

export { planJobs } from "./plan.ts";
export type { OperatorPlan, Plan, PlanOptions, SourcePlan } from "./plan.ts";
export type { Clock } from "./clock.ts";
export { systemClock, VirtualClock } from "./clock.ts";
export * from "./errors.ts";
