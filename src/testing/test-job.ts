/** Test job: a copy of a job whose streams are overheard and whose sinks keep what they are given; the job stays as it is. */
import { PlanError } from "../errors.ts";
import type { Event } from "../event.ts";
import type { GraphNode } from "../graph.ts";
import { Job } from "../job.ts";
import { whole } from "../plan/options.ts";
import type { Plan } from "../plan.ts";
import { planJobs } from "../plan.ts";
import type { SinkBatch, SinkContext } from "../sink.ts";
import { Sink } from "../sink.ts";

/** Writes a batch in place of a sink; throws as a sink does. */
export type WriteBatch = (batch: SinkBatch<unknown>, context: SinkContext) => void | Promise<void>;

export interface TestJobOptions {
  readonly shards?: number | undefined;
  readonly runtime: "workers" | "memory";
  readonly watermarks?: "explicit" | undefined;
  /** What takes the place of a sink's own `write`; undefined to leave it. */
  readonly writerOf: (sink: Sink<unknown>) => WriteBatch | undefined;
}

/** What is to be heard of a job: a node, or a side output of it. */
export interface Tap {
  readonly node: GraphNode;
  readonly side?: string | undefined;
  readonly hear: (event: Event<unknown>) => void;
}

export interface TestJob {
  readonly plan: Plan;
  /** The operators that were added to hear. */
  readonly taps: ReadonlySet<string>;
  /** By sink, the batches that it has written. */
  readonly batches: ReadonlyMap<string, SinkBatch<unknown>[]>;
}

/** Plans a copy of `job` with what is to be heard. @throws PlanError as `planJobs` does. */
export function testJobOf(job: Job, taps: readonly Tap[], options: TestJobOptions): TestJob {
  const copy = new Job(job.name, { onError: job.onError });
  const copies = new Map<GraphNode, GraphNode>();
  const batches = new Map<string, SinkBatch<unknown>[]>();
  for (const node of job.nodes) copies.set(node, copy.addNode(copyOf(node, options.writerOf, batches)));
  // Where an operator was applied again, an input may come after its reader.
  for (const [node, { inputs }] of copies) inputs.push(...node.inputs.map((input) => copied(copies, input)));
  const names = taps.map((tap) => addTap(copy, copied(copies, tap.node), tap));
  const plan = planJobs([copy], {
    runtime: options.runtime,
    ...(options.watermarks === undefined ? {} : { watermarks: options.watermarks }),
  });
  if (options.shards !== undefined) reshard(plan, options.shards);
  return { plan, taps: new Set(names), batches };
}

function copied(copies: ReadonlyMap<GraphNode, GraphNode>, node: GraphNode): GraphNode {
  const copy = copies.get(node);
  if (copy === undefined) throw new PlanError(`"${node.name}" is no longer in the job`);
  return copy;
}

function copyOf(
  node: GraphNode,
  writerOf: TestJobOptions["writerOf"],
  batches: Map<string, SinkBatch<unknown>[]>,
): GraphNode {
  if (node.kind === "process") return { ...node, inputs: [], ports: [...node.ports] };
  if (node.kind !== "sink") return { ...node, inputs: [] };
  const written: SinkBatch<unknown>[] = [];
  batches.set(node.name, written);
  return { ...node, inputs: [], sink: new KeepingSink(node.sink, writerOf(node.sink), written) };
}

/** @returns the name of the sink that hears. */
function addTap(copy: Job, node: GraphNode, { side, hear }: Tap): string {
  let name = "test-output";
  for (let n = 2; copy.nodes.some((other) => other.name === name); n++) name = `test-output-${n}`;
  let input = node;
  if (side !== undefined) {
    const added: GraphNode = { kind: "sideOutput", name: `${name}.side`, inputs: [node], output: side };
    input = copy.addNode(added);
  }
  const sink = new HearingSink(name, hear);
  copy.addNode({ kind: "sink", name, inputs: [input], sink, keyed: input.kind === "keyBy" });
  return name;
}

/** Targets are the operators themselves, so each has to be changed in its place. */
function reshard(plan: Plan, shards: number): void {
  whole("TestDriver", "shards", shards, { least: 1, most: 256, otherwise: 1 });
  for (const operator of plan.operators.values()) {
    if (!["aggregate", "window", "process", "stage"].includes(operator.kind)) continue;
    (operator as { shards: number }).shards = shards;
  }
}

class HearingSink extends Sink<unknown> {
  readonly #hear: (event: Event<unknown>) => void;

  constructor(name: string, hear: (event: Event<unknown>) => void) {
    super(name);
    this.#hear = hear;
  }

  async write({ events }: SinkBatch<unknown>): Promise<void> {
    events.forEach(this.#hear);
  }
}

/** Keeps each batch that has been written. */
class KeepingSink extends Sink<unknown> {
  readonly #sink: Sink<unknown>;
  readonly #write: WriteBatch | undefined;
  readonly #written: SinkBatch<unknown>[];

  constructor(sink: Sink<unknown>, write: WriteBatch | undefined, written: SinkBatch<unknown>[]) {
    super(sink.name, sink.options);
    this.#sink = sink;
    this.#write = write;
    this.#written = written;
  }

  override get signature(): string {
    return this.#sink.signature;
  }

  async write(batch: SinkBatch<unknown>, context: SinkContext): Promise<void> {
    await (this.#write === undefined ? this.#sink.write(batch, context) : this.#write(batch, context));
    this.#written.push(batch);
  }
}
