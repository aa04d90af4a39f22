/** RandomSpec: draws a job from a seed: sources, steps, operators that keep state, stages and sinks, joined at random. */
import type { Random } from "../random.ts";
import { retire } from "./retire.ts";
import type { Fault } from "./semantics.ts";
import { BRANCHES, ODD, WIDE } from "./semantics.ts";
import type { Input, JobSpec, NodeSpec, ProcessSpec } from "./spec.ts";
import { inputsOf, isStateful } from "./spec.ts";
import type { TimedChoice } from "./timed-spec.ts";
import { drawTimed, TIMED } from "./timed-spec.ts";

/** A stream that may be read, and what is known of it. */
interface Open extends Input {
  /** Weights, not items; see semantics.ts. */
  readonly weights: boolean;
  /** Its items still have their event time. */
  readonly timed: boolean;
  /** It comes from HTTP sources by steps alone: the version that routed an event decides where it goes. */
  readonly ingest: boolean;
  /**
   * Whether operators in event time may read it: not behind what sends items again when it is mended, as that may be when
   * their time is over.
   */
  readonly punctual: boolean;
}

const WEIGHTED = [
  "map",
  "filter",
  "flatMap",
  "split",
  "union",
  "sum",
  "fragile",
  "once",
  "total",
  "sink",
] as const;
const ITEMS = [
  ...WEIGHTED,
  "count",
  "number",
  "dedupe",
  "fleeting",
  "enrich",
  "stage",
  "stage",
  "stage",
] as const;
type Choice = (typeof ITEMS)[number] | TimedChoice;

export function randomSpec(random: Random): JobSpec {
  return new Drawing(random).draw();
}

class Drawing {
  readonly #random: Random;
  readonly #nodes: NodeSpec[] = [];
  readonly #open: Open[] = [];
  readonly #policy: { onError?: "fail" };
  #since: { since?: "new" } = {};

  constructor(random: Random) {
    this.#random = random;
    this.#policy = random.chance(0.12) ? { onError: "fail" } : {};
  }

  draw(): JobSpec {
    const random = this.#random;
    for (let n = random.int(1, 2); n > 0; n--) {
      const name = this.#name("source");
      const open = { from: name, weights: false, timed: true, ingest: true, punctual: true };
      this.#add({ kind: "source", name, bound: random.pick([0, 1_000, 5_000, 20_000]) }, open);
    }
    if (random.chance(0.75)) {
      const name = this.#name("pull");
      const pull = { kind: "pull", name, total: random.int(5, 40), most: random.int(1, 6) } as const;
      this.#add(pull, { from: name, weights: false, timed: true, ingest: false, punctual: true });
    }
    for (let n = random.int(3, 8); n > 0; n--) this.#extend(random.pick(this.#recent()));
    if (random.chance(0.35)) this.#goByTime();
    if (!this.#nodes.some(({ kind }) => kind === "sink")) this.#end(random.pick(this.#open), "sink");
    this.#close();
    if (random.chance(0.6)) this.#branch();
    const spec = { name: "drawn", nodes: this.#nodes, ...this.#policy };
    return random.chance(0.4) ? retire(spec, random) : spec;
  }

  /** The last streams are the likelier ones, so that chains get long. */
  #recent(): Open[] {
    return [...this.#open, ...this.#open.slice(-3), ...this.#open.slice(-2)];
  }

  #name(kind: string): string {
    return `${kind}-${this.#nodes.length}`;
  }

  #add(node: NodeSpec, ...open: Open[]): void {
    this.#nodes.push(node);
    this.#open.push(...open);
  }

  #extend(from: Open): void {
    const choice = this.#random.pick<Choice>(from.weights ? WEIGHTED : ITEMS);
    this.#append(choice, from);
  }

  /** An operator in event time, or two. */
  #goByTime(): void {
    const random = this.#random;
    for (let n = random.int(1, 2); n > 0; n--) {
      const inputs = this.#open.filter(({ timed, punctual, weights }) => timed && punctual && !weights);
      this.#append(random.pick(TIMED), random.pick(inputs));
    }
  }

  #append(choice: Choice, from: Open): void {
    const random = this.#random;
    const { weights, timed, ingest, punctual } = from;
    const input: Input =
      from.output === undefined ? { from: from.from } : { from: from.from, output: from.output };
    const name = this.#name(choice === "flatMap" ? "flat-map" : choice);
    const base = { name, input, ...this.#since };
    const wide = random.chance(0.06);
    const keyed = { ...base, groups: wide ? WIDE : random.int(1, 6), shards: wide ? 1 : random.int(1, 3) };
    switch (choice) {
      case "tumbling":
      case "hopping":
      case "session":
      case "alarm":
      case "sorted":
      case "join": {
        const others = this.#open.filter(
          (other) =>
            other.timed &&
            other.punctual &&
            !other.weights &&
            (this.#since.since === undefined || other.ingest),
        );
        const { from: other, output } = random.pick(others);
        const right = output === undefined ? { from: other } : { from: other, output };
        for (const node of drawTimed(random, choice, keyed, right)) this.#add(node);
        return;
      }
      case "map":
      case "filter":
      case "flatMap": {
        const fault = this.#fault(weights);
        const open = { from: name, weights, timed, ingest, punctual: punctual && this.#isPunctual(fault) };
        this.#add({ kind: choice, ...base, ...fault }, open);
        return;
      }
      case "split": {
        const fault = this.#fault(weights);
        const open = { from: name, weights, timed, ingest, punctual: punctual && this.#isPunctual(fault) };
        const branches = BRANCHES.map((output) => ({ ...open, output }));
        this.#add({ kind: "split", ...base, ...fault }, open, ...branches);
        return;
      }
      case "union": {
        const others = this.#open.filter(
          (other) =>
            other.weights === weights && other !== from && (this.#since.since === undefined || other.ingest),
        );
        if (others.length === 0) return;
        const other = random.pick(others);
        const inputs = [
          input,
          { from: other.from, ...(other.output === undefined ? {} : { output: other.output }) },
        ];
        const both = {
          timed: timed && other.timed,
          ingest: ingest && other.ingest,
          punctual: punctual && other.punctual,
        };
        this.#add({ kind: "union", name, inputs, ...this.#since }, { from: name, weights, ...both });
        return;
      }
      case "count":
      case "sum":
      case "fragile": {
        const fault = this.#fault(weights || choice === "fragile", choice === "fragile");
        const open = { from: name, weights: true, timed: false, ingest: false, punctual: false };
        this.#add({ kind: "aggregate", fn: choice, ...keyed, ...fault }, open);
        return;
      }
      case "number":
      case "dedupe":
      case "once":
      case "total":
      case "fleeting":
        this.#process(choice, from, keyed);
        return;
      case "enrich": {
        const tables = this.#open.filter((other) => other.timed && !other.weights);
        if (tables.length === 0) return;
        const { from: table, output } = random.pick(tables);
        const tableInput = output === undefined ? { from: table } : { from: table, output };
        const fault = this.#fault(weights);
        const open = {
          ...{ from: name, weights, timed, ingest: false },
          punctual: punctual && this.#isPunctual(fault),
        };
        this.#add({ kind: "enrich", ...keyed, table: tableInput, ...fault }, open);
        return;
      }
      case "stage": {
        const some = { shards: random.int(1, 2), concurrency: random.int(1, 3) };
        const fault = this.#fault(weights);
        const isPunctual = punctual && this.#isPunctual(fault);
        const open = { from: name, weights, timed, ingest: false, punctual: isPunctual };
        this.#add({ kind: "stage", ...base, ...some, ...fault }, open, { ...open, output: ODD });
        return;
      }
      case "sink":
        this.#add({ kind: "sink", ...keyed, ...this.#sinkOptions() });
    }
  }

  #process(
    fn: ProcessSpec["fn"],
    { weights, timed, punctual }: Open,
    keyed: Pick<ProcessSpec, "name" | "input" | "groups" | "shards" | "since">,
  ): void {
    const delay = this.#random.pick([0, 2_000, 60_000, 3_600_000]);
    const timer = fn === "once" || fn === "total";
    const open = { from: keyed.name, weights: fn === "total" || (weights && fn !== "once"), ingest: false };
    const fault = this.#fault(weights || timer);
    this.#add(
      { kind: "process", fn, ...keyed, delay, ...fault },
      {
        ...open,
        timed: timed && (fn === "number" || fn === "fleeting"),
        punctual: punctual && this.#isPunctual(fault),
      },
    );
  }

  #sinkOptions() {
    const random = this.#random;
    return {
      keyed: random.chance(0.5),
      batchEvents: random.int(1, 8),
      batchMs: random.pick([0, 0, 5_000, 600_000]),
      bufferBytes: random.pick([400, 1_500, 16_000_000]),
      hourly: random.chance(0.2),
      refuses: random.chance(0.5),
    };
  }

  /** @param passing whether it must be possible to mend it: how many weights fail for good is not determined. */
  #fault(passing: boolean, likely = false): { fault?: Fault } {
    const random = this.#random;
    if (!random.chance(likely ? 0.9 : 0.35)) return {};
    return {
      fault: {
        oneIn: random.int(3, 12),
        forGood: !passing && this.#policy.onError === undefined && random.chance(0.5),
      },
    };
  }

  /** Whether a fault leaves nothing that comes again later; where a job fails as a whole, everything waits for it. */
  #isPunctual({ fault }: { fault?: Fault }): boolean {
    return fault === undefined || fault.forGood || this.#policy.onError !== undefined;
  }

  #end(from: Open, choice: "sink" | "sum"): void {
    this.#append(choice, from);
  }

  /** Whatever emits in front of shards must be read, and a pull source too. */
  #close(): void {
    const read = (name: string) =>
      this.#nodes.some((node) => inputsOf(node).some(({ from }) => from === name));
    for (const node of [...this.#nodes]) {
      if ((isStateful(node) && node.kind !== "pull") || read(node.name)) continue;
      const own = this.#open.filter(({ from }) => from === node.name);
      this.#end(this.#random.pick(own), this.#random.pick(["sink", "sum"]));
    }
  }

  /** A branch that the deploy adds, somewhere in front of the queues. */
  #branch(): void {
    const random = this.#random;
    this.#since = { since: "new" };
    const before = this.#open.length;
    this.#append(random.pick(["map", "filter"]), random.pick(this.#open.filter(({ ingest }) => ingest)));
    const added = this.#open[before] as Open;
    if (added.timed && added.punctual && !added.weights && random.chance(0.3)) {
      this.#append(random.pick(TIMED), added);
    }
    this.#append(random.pick(["sum", "stage", "number"]), added);
    this.#append(random.pick(["sink", "sum"]), this.#open.at(-1) as Open);
  }
}
