/** The plan as a Mermaid flowchart: an edge into an operator names what lies between: queues, or an outbox. */
import type { DescribedNode, JobDescription, OperatorDescription, PlanDescription } from "../../src/plan.ts";

export function planMermaid({ jobs }: PlanDescription): string {
  return ["flowchart LR", ...jobs.flatMap(jobLines), ""].join("\n");
}

function jobLines(job: JobDescription, number: number): string[] {
  // Names may hold what Mermaid reserves ("end", dots), so nodes are numbered and names are only labels.
  const id = (name: string) => `j${number}n${job.nodes.findIndex((node) => node.name === name)}`;
  return [
    `  subgraph j${number}["${label(job.job)}"]`,
    ...job.nodes.map((node) => `    ${id(node.name)}${shape(job, node)}`),
    ...job.nodes.flatMap((node) =>
      node.inputs.map((input) => `    ${id(input)} -->${between(job, node, input)} ${id(node.name)}`),
    ),
    "  end",
  ];
}

/** Slanted: a source; a cylinder: state; a bar at each side: a stage; a flag: a sink; round: a side output. */
function shape(job: JobDescription, { name, kind }: DescribedNode): string {
  const operator = operatorOf(job, name);
  const text = label(name);
  if (operator === undefined) {
    if (kind === "source") return `[/"${text}"/]`;
    return kind === "sideOutput" ? `("${text}")` : `["${text}"]`;
  }
  const full = `${text}<br>${operator.kind === "aggregate" ? "" : `${operator.kind}, `}${shardsText(operator)}`;
  switch (operator.kind) {
    case "pull":
      return `[/"${full}"/]`;
    case "stage":
      return `[["${full}"]]`;
    case "sink":
      return `>"${full}"]`;
    default:
      return `[("${full}")]`;
  }
}

function shardsText({ shards }: OperatorDescription): string {
  return shards === 1 ? "1 shard" : `${shards} shards`;
}

/** What an event passes on its way into an operator: its source's queue, or the outbox of a shard; the queue of a stage. */
function between(job: JobDescription, { name }: DescribedNode, input: string): string {
  const operator = operatorOf(job, name);
  if (operator === undefined) return "";
  const own = operator.queue?.queue;
  const media = originsAbove(job, input).map((origin) => {
    const queue = job.sources.find((source) => source.name === origin)?.queue.queue;
    // What a shard emits for a stage goes into the stage's queue at once.
    if (queue === undefined) return own === undefined ? "outbox" : `outbox, ${own}`;
    return own === undefined ? queue : `${queue}, ${own}`;
  });
  return `|"${[...new Set(media)].join("<br>")}"|`;
}

/** The sources and operators that a step is fused into. */
function originsAbove(job: JobDescription, name: string): string[] {
  const inputs = job.nodes.find((node) => node.name === name)?.inputs ?? [];
  if (inputs.length === 0 || operatorOf(job, name) !== undefined) return [name];
  return [...new Set(inputs.flatMap((input) => originsAbove(job, input)))];
}

function operatorOf(job: JobDescription, name: string): OperatorDescription | undefined {
  return job.operators.find((operator) => operator.name === name);
}

function label(name: string): string {
  return name.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
