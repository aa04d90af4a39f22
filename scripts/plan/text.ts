/** The plan as text: each job's graph as a tree, then its queues and its views. */
import type { NodeDescription } from "../../src/graph.ts";
import type { JobDescription, PlanDescription } from "./describe.ts";
import { table } from "./table.ts";

export function planText({ generation, fingerprint, jobs }: PlanDescription): string {
  const count = jobs.length === 1 ? "1 job" : `${jobs.length} jobs`;
  // It is made of the text of functions, which bundling for Workers rewrites.
  const head = `Plan of ${count}: generation ${generation}, fingerprint ${fingerprint} (bundled for Workers, it is another)\n`;
  return [head, ...jobs.map(jobText)].join("\n");
}

function jobText({ job, nodes, sources, operators }: JobDescription): string {
  const queues = sources.map(({ name, queue, deadLetterQueue, binding }) => [
    name,
    queue,
    deadLetterQueue,
    binding,
  ]);
  const views = operators.map(({ name, shards, maxKeys, signature, sources }) => [
    name,
    String(shards),
    maxKeys.toLocaleString("en-US"),
    signature,
    sources.join(", "),
  ]);
  return [
    ...[job, ...indent(tree(nodes)), ""],
    ...[...indent(table(["source", "queue", "dead-letter queue", "binding"], queues)), ""],
    ...[...indent(table(["view", "shards", "keys a shard", "signature", "sources"], views, [1, 2])), ""],
  ].join("\n");
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** One tree per source. A node that several streams lead to is drawn with its readers only the first time. */
function tree(nodes: readonly NodeDescription[]): string[] {
  const drawn = new Set<NodeDescription>();
  return nodes.filter(({ inputs }) => inputs.length === 0).flatMap((root) => branch(root, "", ""));

  function branch(node: NodeDescription, first: string, rest: string): string[] {
    const readers = nodes.filter(({ inputs }) => inputs.includes(node.name));
    const seen = drawn.has(node) && readers.length > 0;
    drawn.add(node);
    const line = `${first}${node.name} (${node.kind}${seen ? ", continued above" : ""})`;
    if (seen) return [line];
    return [
      line,
      ...readers.flatMap((reader, i) =>
        i === readers.length - 1
          ? branch(reader, `${rest}└─ `, `${rest}   `)
          : branch(reader, `${rest}├─ `, `${rest}│  `),
      ),
    ];
  }
}
