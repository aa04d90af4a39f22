/** What follows from the plan in the three wrangler configs: who produces into which queue, and who consumes it how. */
import type { Plan } from "../../src/index.ts";
import type { QueueNames } from "../../src/plan.ts";
import { byName } from "./describe.ts";

/** Everything below this line is generated, everything above it is hand-written. */
export const MARKER = "# --- from the plan: `npm run plan -- --write` keeps what follows in step ---";
const MARKER_START = "# --- from the plan:";

export const workers = [
  { name: "ingest", config: "wrangler.toml" },
  { name: "operator", config: "workers/operator/wrangler.toml" },
  { name: "query", config: "workers/query/wrangler.toml" },
] as const;

export type WorkerName = (typeof workers)[number]["name"];

/** The queues of the plan, by name. */
export function queuesOf(plan: Plan): QueueNames[] {
  return [...plan.sources.values()].map((source) => source.queue).sort(byName(({ queue }) => queue));
}

/** The generated part of a Worker's config, without the marker. */
export function generatedPart(worker: WorkerName, plan: Plan): string {
  const queues = queuesOf(plan);
  // The query Worker sends nothing: it asks its producers for the metrics of their queues.
  const producers = queues.map(({ binding, queue }) => block("producers", { binding, queue }));
  const consumers = worker === "operator" ? queues.flatMap(consumersOf) : [];
  return [...producers, ...consumers].join("\n");
}

function consumersOf({ queue, deadLetterQueue, batchSeconds }: QueueNames): string[] {
  return [
    block("consumers", {
      queue,
      max_batch_size: 100,
      max_batch_timeout: batchSeconds,
      max_retries: 100,
      dead_letter_queue: deadLetterQueue,
    }),
    block("consumers", {
      queue: deadLetterQueue,
      max_batch_size: 10,
      max_batch_timeout: 5,
      max_retries: 100,
    }),
  ];
}

function block(kind: string, values: Record<string, string | number>): string {
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  return `[[queues.${kind}]]\n${lines.join("")}`;
}

/** A config cut at its marker; `below` is undefined when there is none. The marker's own line belongs to `above`. */
export function cutAtMarker(text: string): { readonly above: string; readonly below: string | undefined } {
  const marker = new RegExp(`^${MARKER_START}.*(\\r?\\n|$)`, "m").exec(text);
  if (marker === null) return { above: text, below: undefined };
  const end = marker.index + marker[0].length;
  return { above: text.slice(0, end), below: text.slice(end) };
}
