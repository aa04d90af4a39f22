/** Timed spec: draws an operator in event time, with the sinks that write what it gives off and what comes too late for it. */
import type { Random } from "../random.ts";
import type { EventTimeSpec, Input, NodeSpec, SinkSpec, WindowSpec } from "./spec.ts";
import { LATE } from "./spec.ts";

export const TIMED = ["tumbling", "tumbling", "hopping", "session", "alarm", "sorted", "join"] as const;
export type TimedChoice = (typeof TIMED)[number];

type Keyed = Pick<WindowSpec, "name" | "input" | "groups" | "shards" | "since">;

/** @param other what a join may join it with. */
export function drawTimed(random: Random, choice: TimedChoice, keyed: Keyed, other: Input): NodeSpec[] {
  const node = drawOperator(random, choice, keyed, other);
  const nodes: NodeSpec[] = [node];
  // What a sorted one and a join come to is to be seen somewhere, if not in its state.
  if (choice === "alarm" || choice === "join" || (choice !== "sorted" && random.chance(0.75)))
    nodes.push(sinkOf(random, keyed, "panes"));
  if (random.chance(0.6)) nodes.push(sinkOf(random, keyed, LATE));
  return nodes;
}

function drawOperator(random: Random, choice: TimedChoice, keyed: Keyed, other: Input): EventTimeSpec {
  const size = random.pick([3_000, 10_000, 60_000]);
  switch (choice) {
    case "alarm":
    case "sorted":
      return { kind: "timed", fn: choice, ...keyed, size, delay: random.pick([0, 7_000]) };
    case "join":
      return { kind: "join", fn: random.pick(["window", "interval"]), ...keyed, other, size };
    default: {
      const early = random.pick([undefined, undefined, { every: 2_000 }, { count: random.int(1, 3) }]);
      return {
        ...{ kind: "window", fn: choice, ...keyed, size, slide: random.pick([2_000, 20_000]) },
        ...{ lateness: random.pick([0, 0, 5_000, 60_000]), discarding: random.chance(0.3) },
        ...{ keeps: random.chance(0.8) ? "ids" : "count", ...(early === undefined ? {} : { early }) },
      };
    }
  }
}

function sinkOf(random: Random, { name, since }: Keyed, of: "panes" | typeof LATE): SinkSpec {
  return {
    ...{
      kind: "sink",
      name: `${name}-${of}`,
      input: of === LATE ? { from: name, output: LATE } : { from: name },
    },
    ...{
      keyed: random.chance(0.5),
      groups: 3,
      shards: random.int(1, 2),
      hourly: false,
      refuses: random.chance(0.3),
    },
    ...{ batchEvents: random.int(1, 8), batchMs: random.pick([0, 5_000]), bufferBytes: 3_000 },
    ...(since === undefined ? {} : { since }),
  };
}
