/** NodeCard: one node of the drawing: a button that says what flows here, and opens what else there is to know. */
import type { JSX } from "preact";
import { formatCompact, formatNumber, formatRate } from "../parts/format.ts";
import type { NodeFacts } from "./facts.ts";
import { kindWord } from "./kinds.ts";
import { LevelMark } from "./level-mark.tsx";
import type { GraphNode } from "./model.ts";
import { QueueMeter } from "./queue-meter.tsx";
import type { Box } from "./shapes.ts";
import { ShardBars } from "./shard-bars.tsx";
import { describeNode, marksOf, skewWord } from "./words.ts";

export interface NodeCardProps {
  readonly node: GraphNode;
  readonly facts: NodeFacts;
  readonly box: Box;
  readonly open: boolean;
  readonly onOpen: (name: string) => void;
}

export function NodeCard({ node, facts, box, open, onOpen }: NodeCardProps): JSX.Element {
  const { x, y, width, height } = box;
  const look =
    node.type === "steps" ? "graph-steps" : `graph-card graph-${node.kind} level-${facts.pressure.level}`;
  return (
    <button
      type="button"
      class={`graph-node ${look}`}
      style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }}
      aria-expanded={open}
      data-node={node.name}
      onClick={() => onOpen(node.name)}
    >
      <span class="visually-hidden">{describeNode(node, facts)}</span>
      <span class="graph-face" aria-hidden="true">
        {node.type === "steps" ? (
          node.steps.map(({ name, kind }) => (
            <span key={name} class="graph-step" title={name}>
              {kindWord(kind)}
            </span>
          ))
        ) : (
          <Facts node={node} facts={facts} width={width} />
        )}
      </span>
    </button>
  );
}

interface FactsProps {
  readonly node: Exclude<GraphNode, { type: "steps" }>;
  readonly facts: NodeFacts;
  readonly width: number;
}

function Facts({ node, facts, width }: FactsProps): JSX.Element {
  const queued = node.type === "source" || node.operator.stage !== undefined;
  return (
    <>
      <span class="graph-card-head">
        <span class="graph-kind">{kindWord(node.kind)}</span>
        <LevelMark pressure={facts.pressure} />
      </span>
      <span class="graph-name" title={node.name}>
        {node.name}
      </span>
      <span class="graph-rate">
        <span title="Events a second">
          <b>{formatRate(facts.rate)}</b> /s
        </span>
        {facts.sum === undefined ? null : (
          <span title={`${formatNumber(facts.sum)} events since ever`}>
            {formatCompact(facts.sum)} in all
          </span>
        )}
      </span>
      {queued ? <QueueMeter queue={facts.queue} /> : null}
      {node.type === "operator" ? <Shards facts={facts} width={width} /> : null}
      <Marks facts={facts} />
    </>
  );
}

function Shards({ facts, width }: { readonly facts: NodeFacts; readonly width: number }): JSX.Element {
  const { length } = facts.shards;
  const skew = skewWord(facts);
  return (
    <span class="graph-row">
      <ShardBars shards={facts.shards} width={width / 2 - 12} />
      <span>
        {length === 1 ? "1 shard" : `${length} shards`}
        {skew === undefined ? "" : ` · ${skew}`}
      </span>
    </span>
  );
}

function Marks({ facts }: { readonly facts: NodeFacts }): JSX.Element {
  const marks = marksOf(facts);
  return (
    <span class="graph-marks" title={marks.map(({ text }) => text).join(", ")}>
      {marks.map(({ text, bad }) => (
        <span key={text} class={bad ? "graph-mark graph-mark-bad" : "graph-mark"}>
          {text}
        </span>
      ))}
    </span>
  );
}
