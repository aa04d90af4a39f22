/** Millrace: stream processing on Cloudflare Workers. The public door, in the article's order. */
export type { Event, EventAttributes } from "./event.ts";
export type {
  EventTimeOptions,
  PulledEvent,
  Pulled,
  PullRequest,
  PullSourceOptions,
  SourceOptions,
  WatermarkStrategy,
} from "./source.ts";
export { PullSource, Source } from "./source.ts";
export type { Collector, EmitOptions, SourceCollector } from "./collector.ts";
export type { SplitStreams } from "./stream.ts";
export {
  CountWindowedStream,
  JoinedStream,
  KeyedStream,
  Stream,
  WindowedStream,
  WindowResults,
} from "./stream.ts";
export type { Interval } from "./operators/interval-join.ts";
export { Aggregate, Operator } from "./operator.ts";
export type {
  AggregateOptions,
  Aggregator,
  KeyedResult,
  OperatorContext,
  Pane,
  WindowResult,
} from "./operator.ts";
export type * from "./process.ts";
export { ProcessFunction } from "./process.ts";
export type { StageOptions } from "./stage.ts";
export { Stage, stage } from "./stage.ts";
export type { SinkBatch, SinkBinding, SinkContext, SinkOptions } from "./sink.ts";
export { Sink } from "./sink.ts";
export type { FailurePolicy, JobOptions } from "./job.ts";
export { Job } from "./job.ts";
export { JobStarter } from "./engine/job-starter.ts";
export type { Inputs, JobStarterOptions, MemoryView } from "./engine/job-starter.ts";

export { CountWindows, countWindow } from "./windows/count.ts";
export { globalWindow } from "./windows/global.ts";
export { hopping } from "./windows/hopping.ts";
export { session } from "./windows/session.ts";
export type { Trigger, WindowOptions } from "./windows/trigger.ts";
export { afterCount, eachEvent, every } from "./windows/trigger.ts";
export { tumbling } from "./windows/tumbling.ts";
export type { Window, WindowTime } from "./windows/window.ts";
export { WindowAssigner } from "./windows/window.ts";

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
export type { TopResult } from "./aggregates/top-results.ts";
export { topResults } from "./aggregates/top-results.ts";
export type { CronOptions } from "./sources/cron.ts";
export { cron } from "./sources/cron.ts";
export type { GeneratorOptions } from "./sources/generator.ts";
export { generator } from "./sources/generator.ts";
export type { PollAnswer, PollOptions, PollResponse } from "./sources/poll.ts";
export { poll } from "./sources/poll.ts";
export { parse } from "./sources/schema.ts";
export type { EraseOptions, EraseReport } from "./sinks/erase-key.ts";
export { eraseKey } from "./sinks/erase-key.ts";
export type { FileSinkOptions } from "./sinks/files.ts";
export { FileSink, files } from "./sinks/files.ts";
export type { FileStore } from "./sinks/file-store.ts";
export type { LogOptions } from "./sinks/log.ts";
export { log } from "./sinks/log.ts";
export { MemoryFiles } from "./sinks/memory-files.ts";
export type { MessageQueue, QueueSinkOptions } from "./sinks/queue.ts";
export { queueSink } from "./sinks/queue.ts";
export { readFiles } from "./sinks/read-files.ts";
export type { WebhookOptions } from "./sinks/webhook.ts";
export { webhook } from "./sinks/webhook.ts";
export type { EnvText } from "./http.ts";

export { planJobs } from "./plan.ts";
export type { OperatorPlan, Plan, PlanOptions, SourcePlan, ViewPlan } from "./plan.ts";
export type { Clock } from "./clock.ts";
export { systemClock, VirtualClock } from "./clock.ts";
export * from "./errors.ts";
