/** The shapes of jobs: the graph and the plan of each. */
import * as v from "valibot";
import { planDescriptionSchema } from "../../../plan/description-schema.ts";
import { count, operatorKind } from "./shared.ts";

const queueNames = {
  queue: v.string(),
  deadLetterQueue: v.string(),
};

const jobOperator = v.strictObject({
  operator: v.string(),
  kind: v.pipe(
    operatorKind,
    v.description("`pull` is a source that is asked, by the one shard that holds its offset."),
  ),
  sources: v.pipe(v.array(v.string()), v.description("The sources and operators that feed it.")),
  outputs: v.pipe(v.array(v.string()), v.description("The operators that read what it emits.")),
  shards: count,
  view: v.exactOptional(
    v.pipe(v.string(), v.description("Of an aggregate or a process: where its state is read.")),
  ),
  maxKeys: v.exactOptional(
    v.pipe(
      count,
      v.description("Of a view: keys that one shard keeps; beyond it an aggregate counts keys together."),
    ),
  ),
  stage: v.exactOptional(
    v.strictObject({
      ...queueNames,
      concurrency: v.pipe(count, v.description("Events of a batch that are worked on at the same time.")),
      batchSize: v.pipe(count, v.description("Messages of a batch.")),
      maxConsumers: v.nullable(v.pipe(count, v.description("Batches at the same time; null for no limit."))),
      retries: v.pipe(count, v.description("Of an event whose code throws, before it is a dead letter.")),
      highWater: v.nullable(
        v.pipe(
          count,
          v.description(
            "Messages in its queue from which on ingest answers 429; null for the deployment's mark.",
          ),
        ),
      ),
    }),
  ),
  sink: v.exactOptional(
    v.strictObject({
      batchEvents: count,
      batchBytes: count,
      batchMs: v.pipe(count, v.description("How long a batch's first event waits at most.")),
      bufferBytes: v.pipe(count, v.description("Of a shard; past it, it holds up what is upstream.")),
    }),
  ),
  pull: v.exactOptional(
    v.strictObject({
      everyMs: v.pipe(count, v.description("The least time between two calls.")),
      limit: v.pipe(count, v.description("Events that one call may give.")),
    }),
  ),
});

export const jobSchema = v.pipe(
  v.strictObject({
    job: v.string(),
    onError: v.pipe(
      v.picklist(["dead-letter", "fail"]),
      v.description(
        "What happens to an event that an operator throws on: it goes to dead letters and its neighbours proceed; or it " +
          "is refused: to its sender by a 400, and behind a queue by trying its message again until that goes to the " +
          "dead-letter queue.",
      ),
    ),
    nodes: v.pipe(
      v.array(v.strictObject({ name: v.string(), kind: v.string(), inputs: v.array(v.string()) })),
      v.description(
        "The graph: sources, stateless steps and operators with shards, inputs before their readers.",
      ),
    ),
    sources: v.array(
      v.strictObject({
        source: v.string(),
        example: v.exactOptional(
          v.pipe(v.string(), v.description("What a record may look like, as a line of text, JSON or not.")),
        ),
        ...queueNames,
        operators: v.pipe(v.array(v.string()), v.description("The operators behind the queue.")),
      }),
    ),
    operators: v.pipe(
      v.array(jobOperator),
      v.description("Everything that lives in shards; stateless steps run in front of them."),
    ),
    views: v.array(v.string()),
  }),
  v.metadata({ ref: "Job" }),
);

export const jobsSchema = v.strictObject({
  jobs: v.array(jobSchema),
  plan: v.pipe(
    planDescriptionSchema,
    v.description("The plan that runs: what `npm run plan -- --against` and `npm run deploy` compare with."),
  ),
});
