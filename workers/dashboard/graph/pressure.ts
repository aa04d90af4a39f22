/** Pressure: how hard a node is pressed, from its queue and its shards, in a level and in words. */
import type { Health } from "../api/types.ts";
import type { ShardHealth } from "./skew.ts";
import { isLive } from "./skew.ts";

export type QueueHealth = Health["queues"][number];

/** From good to bad. `unknown` is no health at all, `silent` a part of it. */
export type Level = "ok" | "filling" | "busy" | "over" | "silent" | "unknown";

export interface Pressure {
  readonly level: Level;
  /** In two or three words. */
  readonly word: string;
  /** In a sentence. */
  readonly reason: string;
}

/** From this part of its mark on, a queue is said to fill: early enough to be seen before anybody is refused. */
const FILLING = 0.5;

export const UNKNOWN: Pressure = { level: "unknown", word: "not known", reason: "No health has come yet." };

const FINE: Pressure = { level: "ok", word: "ok", reason: "Nothing is held up here." };

export interface Pressed {
  /** Whether ingest answers 429 for it. */
  readonly refusing?: boolean;
  readonly queue?: QueueHealth | undefined;
  readonly shards?: readonly ShardHealth[];
}

export function pressureOf({ refusing = false, queue, shards = [] }: Pressed): Pressure {
  const silent = shards.filter((shard) => !isLive(shard)).length;
  if (silent > 0) {
    return {
      level: "silent",
      word: "silent",
      reason: `${silent} of ${shards.length} shards ${silent === 1 ? "does" : "do"} not answer.`,
    };
  }
  if (refusing) {
    return { level: "over", word: "refuses (429)", reason: "A queue that it feeds is over its mark." };
  }
  if (queue?.over === true) {
    return { level: "over", word: "over its mark", reason: `${marked(queue)}, so sources refuse (429).` };
  }
  const busy = shards.filter((shard) => isLive(shard) && shard.busy).length;
  if (busy > 0) {
    return {
      level: "busy",
      word: "busy",
      reason: `${busy} of ${shards.length} shards ${busy === 1 ? "takes" : "take"} nothing in until something has left.`,
    };
  }
  if (queue !== undefined && fillOf(queue) >= FILLING) {
    return { level: "filling", word: "filling", reason: `${marked(queue)}.` };
  }
  return FINE;
}

/** How full a queue is, against its mark: 0 to 1, and 1 where it is over it. */
export function fillOf({ backlog, highWater }: QueueHealth): number {
  if (backlog === null) return 0;
  return highWater === 0 ? 1 : Math.min(1, backlog.messages / highWater);
}

function marked({ backlog, highWater }: QueueHealth): string {
  return `${backlog?.messages ?? 0} messages wait in its queue, whose mark is ${highWater}`;
}

const ORDER: readonly Level[] = ["ok", "filling", "busy", "over", "silent", "unknown"];

export function worst(pressures: readonly Pressure[]): Pressure {
  return pressures.reduce(
    (bad, one) => (ORDER.indexOf(one.level) > ORDER.indexOf(bad.level) ? one : bad),
    FINE,
  );
}
