/** What follows from the plan in the three wrangler configs: queues and who consumes them how, what sinks write to, triggers. */
import type { Plan } from "../../src/index.ts";
import type { PlannedBinding, QueueNames } from "../../src/plan.ts";
import { bindingsOf, byName, pullsOf, queuesOf } from "../../src/plan.ts";

/** Everything below this line is generated, everything above it is hand-written. */
export const MARKER = "# --- from the plan: `npm run plan -- --write` keeps what follows in step ---";
const MARKER_START = "# --- from the plan:";

export const workers = [
  { name: "ingest", config: "wrangler.toml" },
  { name: "operator", config: "workers/operator/wrangler.toml" },
  { name: "query", config: "workers/query/wrangler.toml" },
] as const;

export type WorkerName = (typeof workers)[number]["name"];

/** Pull sources run by themselves; this starts them after a deployment, and again should one ever stop. */
const EVERY_MINUTE = "* * * * *";

/** The queues of all sources and stages, by name. */
export function queueNamesOf(plan: Plan): QueueNames[] {
  return queuesOf(plan)
    .map(({ queue }) => queue)
    .sort(byName(({ queue }) => queue));
}

/** What sinks need of one Worker: the operator Worker writes, the query Worker deletes from files. */
export function sinkBindingsOf(worker: WorkerName, plan: Plan): PlannedBinding[] {
  if (worker === "ingest") return [];
  return bindingsOf(plan).filter(({ kind }) => worker === "operator" || kind === "r2");
}

/** The generated part of a Worker's config, without the marker. */
export function generatedPart(worker: WorkerName, plan: Plan): string {
  const queues = queueNamesOf(plan);
  // Each Worker asks its producers for the backlog of every queue of a job; not all of them send.
  const producers = queues.map(({ binding, queue }) => block("queues.producers", { binding, queue }));
  const sinks = sinkBindingsOf(worker, plan).map(({ kind, binding, name }) =>
    kind === "queue"
      ? block("queues.producers", { binding, queue: name })
      : block("r2_buckets", { binding, bucket_name: name }),
  );
  const own = worker === "operator" ? [...queues.flatMap(consumersOf), triggersOf(plan)] : [];
  return [...producers, ...sinks, ...own].join("\n");
}

function consumersOf(names: QueueNames): string[] {
  const { queue, deadLetterQueue, batchSize, batchSeconds, maxConsumers } = names;
  return [
    block("queues.consumers", {
      queue,
      max_batch_size: batchSize,
      max_batch_timeout: batchSeconds,
      ...(maxConsumers !== undefined && { max_concurrency: maxConsumers }),
      max_retries: 100,
      dead_letter_queue: deadLetterQueue,
    }),
    block("queues.consumers", {
      queue: deadLetterQueue,
      max_batch_size: 10,
      max_batch_timeout: 5,
      max_retries: 100,
    }),
  ];
}

/** Always there: a deployment without the list would leave the triggers of the one before in place. */
function triggersOf(plan: Plan): string {
  const crons = pullsOf(plan).length > 0 ? [EVERY_MINUTE] : [];
  return `[triggers]\ncrons = ${JSON.stringify(crons)}\n`;
}

function block(kind: string, values: Record<string, string | number>): string {
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  return `[[${kind}]]\n${lines.join("")}`;
}

/** A config cut at its marker; `below` is undefined when there is none. The marker's own line belongs to `above`. */
export function cutAtMarker(text: string): { readonly above: string; readonly below: string | undefined } {
  const marker = new RegExp(`^${MARKER_START}.*(\\r?\\n|$)`, "m").exec(text);
  if (marker === null) return { above: text, below: undefined };
  const end = marker.index + marker[0].length;
  return { above: text.slice(0, end), below: text.slice(end) };
}
