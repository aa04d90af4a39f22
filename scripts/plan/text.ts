/** The plan as text: each job's graph as a tree, then what is fused into what, its operators and its queues. */
import type { NodeDescription } from "../../src/graph.ts";
import type { JobDescription, OutputsDescription, PlanDescription } from "../../src/plan.ts";
import { table } from "./table.ts";

export function planText({ generation, fingerprint, jobs, retired, bindings }: PlanDescription): string {
  const count = jobs.length === 1 ? "1 job" : `${jobs.length} jobs`;
  // It is made of the text of functions, which bundling for Workers rewrites.
  const head = `Plan of ${count}: generation ${generation}, fingerprint ${fingerprint} (bundled for Workers, it is another)\n`;
  const more = [
    ...bindings.map(
      ({ kind, binding, name }) => `${kind === "r2" ? "R2 bucket" : "Queue"} ${name}: ${binding}`,
    ),
    ...(retired.length > 0 ? [`Retired: ${retired.join(", ")}`] : []),
  ];
  return [head, ...jobs.map(jobText), ...(more.length > 0 ? [`${more.join("\n")}\n`] : [])].join("\n");
}

function jobText({ job, onError, nodes, ...described }: JobDescription): string {
  // As in the job, so that what feeds comes before what is fed.
  const place = ({ name }: { readonly name: string }) => nodes.findIndex((node) => node.name === name);
  const inOrder = <T extends { readonly name: string }>(all: readonly T[]) =>
    all.toSorted((a, b) => place(a) - place(b));
  const [sources, operators] = [inOrder(described.sources), inOrder(described.operators)];
  const stages = [
    ...sources.map((source) => ["ingest", source] as const),
    ...operators.map((operator) => [`${operator.kind} shard`, operator] as const),
  ].filter(([, { steps, targets }]) => steps.length + targets.length > 0);
  const queues = [...sources, ...operators].flatMap(({ name, queue }) => {
    if (queue === undefined) return [];
    const { batchSize, batchSeconds, maxConsumers } = queue;
    const consumed = `${batchSize} or ${batchSeconds} s${maxConsumers === undefined ? "" : `, ${maxConsumers} at once`}`;
    return [[name, queue.queue, queue.deadLetterQueue, queue.binding, consumed]];
  });
  const rows = operators.map(({ name, kind, shards, maxKeys, signature, sources: fedBy }) => [
    name,
    kind,
    String(shards),
    maxKeys?.toLocaleString("en-US") ?? "",
    signature,
    fedBy.join(", "),
  ]);
  const parts = [
    tree(nodes),
    table(
      ["fused into", "where they run", "steps", "hands on to"],
      stages.map(([where, it]) => [it.name, where, it.steps.join(", "), targetsText(it)]),
    ),
    table(["operator", "kind", "shards", "keys a shard", "signature", "fed by"], rows, [2, 3]),
    ...(queues.length > 0
      ? [table(["queue of", "queue", "dead-letter queue", "binding", "batch"], queues)]
      : []),
  ];
  const title = onError === "fail" ? `${job} (an event that fails stops its message)` : job;
  return [title, ...parts.flatMap((lines) => [...lines.map((line) => `  ${line}`), ""])].join("\n");
}

/** `counts, late-log (paid.late)`: the output in brackets, where it is a side output. */
function targetsText({ targets, sideOutputs }: OutputsDescription): string {
  return targets
    .map((target) => {
      const outputs = sideOutputs.filter((side) => side.targets.includes(target));
      return outputs.length === 0
        ? target
        : `${target} (${outputs.map(({ of, output }) => `${of}.${output}`).join(", ")})`;
    })
    .join(", ");
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
