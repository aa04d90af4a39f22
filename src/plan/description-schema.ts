/** The shape of a plan's description, for what reads one that another version may have written: it may have more fields. */
import * as v from "valibot";
import type { PlanDescription } from "./describe.ts";

const names = v.array(v.string());
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));

const outputs = {
  steps: v.pipe(names, v.description("The stateless steps that are fused into it.")),
  targets: v.pipe(names, v.description("The operators that it hands events to.")),
  sideOutputs: v.array(v.object({ of: v.string(), output: v.string(), targets: names })),
};

const queue = v.object({
  queue: v.string(),
  deadLetterQueue: v.string(),
  binding: v.string(),
  batchSize: whole,
  batchSeconds: whole,
  maxConsumers: v.exactOptional(whole),
});

const job = v.object({
  job: v.string(),
  onError: v.picklist(["dead-letter", "fail"]),
  nodes: v.array(
    v.object({ name: v.string(), kind: v.string(), inputs: names, code: v.exactOptional(v.string()) }),
  ),
  sources: v.array(v.object({ name: v.string(), queue, ...outputs })),
  operators: v.array(
    v.object({
      name: v.string(),
      kind: v.string(),
      shards: whole,
      keyed: v.boolean(),
      signature: v.pipe(v.string(), v.description("Names the format of the state.")),
      sources: names,
      maxKeys: v.exactOptional(whole),
      queue: v.exactOptional(queue),
      ...outputs,
    }),
  ),
});

export const planDescriptionSchema = v.object({
  generation: whole,
  fingerprint: v.string(),
  jobs: v.array(job),
  retired: names,
  bindings: v.array(v.object({ kind: v.picklist(["r2", "queue"]), binding: v.string(), name: v.string() })),
}) satisfies v.GenericSchema<unknown, PlanDescription>;
