/** Words: the facts of nodes and edges in words, for cards, tables and those who hear them. */
import { formatBytes, formatCompact, formatNumber, formatRate, formatSpan } from "../parts/format.ts";
import type { EdgeFacts, NodeFacts, WatermarkHealth } from "./facts.ts";
import { kindWord } from "./kinds.ts";
import type { GraphEdge, GraphNode, JobGraph } from "./model.ts";
import type { QueueHealth } from "./pressure.ts";
import { skewOf } from "./skew.ts";

/** Short, for a card. Undefined where there is nothing to say: then the card says nothing. */
export function marksOf({ totals, watermark, operator }: NodeFacts): { text: string; bad: boolean }[] {
  const { late = 0, dead = 0, duplicates = 0 } = totals ?? {};
  const outbox = operator?.outbox.segments ?? 0;
  const buffered = operator?.sink?.buffered ?? 0;
  return [
    ...(dead > 0 ? [{ text: `${formatCompact(dead)} dead`, bad: true }] : []),
    ...(late > 0 ? [{ text: `${formatCompact(late)} late`, bad: true }] : []),
    ...(watermark === undefined ? [] : [{ text: `time ${lagWord(watermark)}`, bad: false }]),
    ...(outbox > 0 ? [{ text: `outbox ${formatCompact(outbox)}`, bad: false }] : []),
    ...(buffered > 0 ? [{ text: `buffer ${formatCompact(buffered)}`, bad: false }] : []),
    ...(duplicates > 0 ? [{ text: `${formatCompact(duplicates)} repeated`, bad: false }] : []),
  ];
}

/** Behind this, an operator's watermark is one that nobody has asked for lately. */
const LONG_AGO_MS = 30_000;

/**
 * How far event time is behind the clock. A stream that has ended is at the last moment there is; and nobody moves the
 * watermark of an operator while no window or timer waits for it, so that it says nothing then.
 */
export function lagWord(health: WatermarkHealth): string {
  const { watermark, lagMs } = health;
  if (watermark === null || lagMs === null) return "not known yet";
  if (watermark.startsWith("+")) return "has ended";
  if ("operator" in health && health.nextTimer === undefined && lagMs > LONG_AGO_MS) return "at rest";
  return `${formatSpan(lagMs)} behind`;
}

export function backlogWord({ backlog, oldestMessageAgeMs: oldest }: QueueHealth): string {
  if (backlog === null) return "backlog not known";
  if (backlog.messages === 0) return "queue empty";
  const age = oldest === null ? "" : `, oldest ${formatSpan(oldest)}`;
  return `${formatCompact(backlog.messages)} waiting${age}`;
}

export function markWord({ highWater, backlog }: QueueHealth): string {
  const bytes = backlog === null || backlog.bytes === 0 ? "" : ` (${formatBytes(backlog.bytes)})`;
  return `${backlog === null ? "?" : formatNumber(backlog.messages)}${bytes} of ${formatNumber(highWater)}`;
}

export function skewWord(facts: NodeFacts): string | undefined {
  const skew = skewOf(facts.shards);
  return skew === undefined ? undefined : `${skew.factor.toFixed(skew.factor < 9.95 ? 1 : 0)}×`;
}

/** All of a node, in the order of importance: its button's name. */
export function describeNode(node: GraphNode, facts: NodeFacts): string {
  const { pressure, rate, totals, queue, shards, watermark } = facts;
  if (node.type === "steps") {
    return `${stepsWord(node)}, stateless, ${formatRate(rate)} events a second come in`;
  }
  const skew = skewWord(facts);
  const parts = [
    `${node.name}, ${kindWord(node.kind)}`,
    pressure.word,
    `${formatRate(rate)} events a second`,
    ...(queue === undefined ? [] : [backlogWord(queue)]),
    ...(totals === undefined
      ? []
      : [
          `${formatNumber(totals.applied)} applied`,
          `${formatNumber(totals.inFlight)} in flight`,
          `${formatNumber(totals.late)} late`,
          `${formatNumber(totals.dead)} in dead letters`,
        ]),
    ...(shards.length < 2 ? [] : [`${shards.length} shards`]),
    ...(skew === undefined ? [] : [`skew ${skew}`]),
    ...(watermark === undefined ? [] : [`event time ${lagWord(watermark)}`]),
  ];
  return parts.join(", ");
}

export function stepsWord(node: GraphNode): string {
  return node.type === "steps" ? node.steps.map(({ kind }) => kindWord(kind)).join(", ") : node.name;
}

export function edgeWord({ from, to }: GraphEdge, { nodes }: JobGraph): string {
  const word = (name: string) => {
    const node = nodes.find((one) => one.name === name);
    return node === undefined ? name : stepsWord(node);
  };
  return `${word(from)} → ${word(to)}`;
}

/** For its label: how much flows, and what is on its way, if anything is. */
export function edgeLines({ rate, inFlight = 0, queued = 0 }: EdgeFacts): string[] {
  const flows = `${formatRate(rate)}/s`;
  if (queued > 0) return [flows, `${formatCompact(queued)} queued`];
  return inFlight > 0 ? [flows, `${formatCompact(inFlight)} in flight`] : [flows];
}
