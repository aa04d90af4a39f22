/** The plan as a Mermaid flowchart: the edge into a stateful operator is the queue that lies between. */
import type { NodeDescription } from "../../src/graph.ts";
import type { JobDescription, PlanDescription } from "./describe.ts";

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
      node.inputs.map((input) => `    ${id(input)} -->${queuesOn(job, node, input)} ${id(node.name)}`),
    ),
    "  end",
  ];
}

function shape(job: JobDescription, { name, kind }: NodeDescription): string {
  const operator = job.operators.find((it) => it.name === name);
  if (operator !== undefined) {
    return `[("${label(name)}<br>${operator.shards === 1 ? "1 shard" : `${operator.shards} shards`}")]`;
  }
  return kind === "source" ? `[/"${label(name)}"/]` : `["${label(name)}"]`;
}

function queuesOn(job: JobDescription, node: NodeDescription, input: string): string {
  if (!job.operators.some(({ name }) => name === node.name)) return "";
  const above = sourcesAbove(job.nodes, input);
  const queues = job.sources.filter(({ name }) => above.has(name)).map(({ queue }) => queue);
  return `|"${queues.join("<br>")}"|`;
}

function sourcesAbove(nodes: readonly NodeDescription[], name: string): Set<string> {
  const inputs = nodes.find((node) => node.name === name)?.inputs ?? [];
  if (inputs.length === 0) return new Set([name]);
  return new Set(inputs.flatMap((input) => [...sourcesAbove(nodes, input)]));
}

function label(name: string): string {
  return name.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
