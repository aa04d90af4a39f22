/** Build: the real job of a spec, in one of its versions, and its plan. */
import type { Plan, Stream, WindowResult } from "../../../src/index.ts";
import { count, Job, planJobs, tumbling } from "../../../src/index.ts";
import type { Outside, Trip } from "./functions.ts";
import {
  aggregator,
  CountingSource,
  SentSource,
  SimulatedProcess,
  SimulatedSink,
  SimulatedStage,
} from "./functions.ts";
import type { Counts, Datum, Fault } from "./semantics.ts";
import { BRANCHES, branchOf, copied, failsOn, groupOf, kept, mapped, ODD } from "./semantics.ts";
import type { EventTimeSpec, Input, JobSpec, NodeSpec, Version } from "./spec.ts";
import { DEFAULT_BOUND, LATE, nodesOf } from "./spec.ts";
import { Alarm, assignerOf, ids, paneDatum, Sorted, windowOptionsOf } from "./timed-functions.ts";

export const FOR_GOOD = "broken for good";
export const UNTIL_MENDED = "broken until mended";

/** The plan of one version. */
export function planOf(spec: JobSpec, version: Version, outside: Outside): Plan {
  const job = new Job(spec.name, spec.onError === undefined ? {} : { onError: spec.onError });
  const builder = new Builder(job, version, outside);
  for (const node of nodesOf(spec, version)) builder.add(node);
  const retired = version === "old" ? [] : spec.nodes.filter(({ until }) => until === "old");
  return planJobs([job], { retired: retired.map(({ name }) => name) });
}

class Builder {
  readonly #job: Job;
  readonly #version: Version;
  readonly #outside: Outside;
  readonly #streams = new Map<string, Stream<Datum>>();
  /** Streams that are made when somebody reads them: what nobody reads has to be no part of the job. */
  readonly #lazy = new Map<string, () => Stream<Datum>>();

  constructor(job: Job, version: Version, outside: Outside) {
    this.#job = job;
    this.#version = version;
    this.#outside = outside;
  }

  add(node: NodeSpec): void {
    const { name } = node;
    switch (node.kind) {
      case "source":
        this.#put(name, this.#job.addSource(new SentSource(name, node.bound ?? DEFAULT_BOUND)));
        return;
      case "pull":
        this.#put(name, this.#job.addSource(new CountingSource(node, this.#outside)));
        return;
      case "map":
      case "filter":
      case "flatMap":
      case "split":
        this.#step(node);
        return;
      case "union": {
        const [first, ...others] = node.inputs.map((input) => this.#stream(input));
        this.#put(name, (first as Stream<Datum>).union(...others));
        return;
      }
      case "aggregate": {
        const poison = (datum: Datum) => failsOn(name, node.fault, datum);
        const trip = this.#trip(name, node.fault);
        const combining = aggregator(node, trip, poison, this.#version === "mended");
        const keyed = this.#keyed(node, node.input);
        this.#put(name, keyed.aggregate(name, combining, { shards: node.shards }) as Stream<Datum>);
        return;
      }
      case "process": {
        const hooks = new SimulatedProcess(node, this.#trip(name, node.fault));
        this.#put(name, this.#keyed(node, node.input).applyOperator(hooks));
        return;
      }
      case "enrich": {
        const trip = this.#trip(name, node.fault);
        const table = this.#keyed(node, node.table);
        const join = (datum: Datum) => {
          trip(datum);
          return datum;
        };
        this.#put(name, this.#keyed(node, node.input).enrich(name, table, join, { shards: node.shards }));
        return;
      }
      case "window":
      case "timed":
      case "join":
        this.#inEventTime(node);
        return;
      case "stage": {
        const stage = new SimulatedStage(node, this.#outside, this.#trip(name, node.fault));
        const main = this.#stream(node.input).applyOperator(stage);
        this.#put(name, main);
        this.#put(`${name}|${ODD}`, main.sideOutput(ODD));
        return;
      }
      case "sink":
        if (node.keyed) this.#keyed(node, node.input).addSink(new SimulatedSink(node));
        else this.#stream(node.input).addSink(new SimulatedSink(node));
    }
  }

  #inEventTime(node: EventTimeSpec): void {
    const { name, shards } = node;
    const input = this.#keyed(node, node.input);
    const late = (stream: () => Stream<Datum>) => this.#lazy.set(`${name}|${LATE}`, stream);
    switch (node.kind) {
      case "window": {
        const windowed = input.window(assignerOf(node), windowOptionsOf(node));
        const results =
          node.keeps === "ids"
            ? windowed.aggregate(name, ids, { shards })
            : windowed.aggregate(name, count(), { shards });
        late(() => results.late);
        const shown = results as Stream<WindowResult<Counts | number>>;
        this.#lazy.set(name, () => shown.map((result) => paneDatum(name, result), `${name}-shown`));
        return;
      }
      case "timed": {
        const stream = input.applyOperator(node.fn === "alarm" ? new Alarm(node) : new Sorted(node));
        late(() => stream.sideOutput<Datum>(LATE));
        this.#put(name, stream);
        return;
      }
      case "join": {
        const other = this.#keyed(node, node.other);
        const pair = ({ key, id }: Datum, right: Datum, at = "") => ({ key, id: `${id}+${right.id}${at}` });
        const stream =
          node.fn === "window"
            ? input
                .window(tumbling(node.size))
                .join(name, other, (l, r, { end }) => pair(l, r, `@${end}`), { shards })
            : input.intervalJoin(name, other, { lower: -node.size, upper: node.size }, (l, r) => pair(l, r), {
                shards,
              });
        late(() => stream.late);
        this.#put(name, stream);
      }
    }
  }

  #step(node: NodeSpec & { kind: "map" | "filter" | "flatMap" | "split" }): void {
    const { name } = node;
    const trip = this.#trip(name, node.fault);
    const tried = <T>(datum: Datum, value: T): T => {
      trip(datum);
      return value;
    };
    const input = this.#stream(node.input);
    switch (node.kind) {
      case "map":
        this.#put(
          name,
          input.map((datum) => tried(datum, mapped(name, datum)), name),
        );
        return;
      case "filter":
        this.#put(
          name,
          input.filter((datum) => tried(datum, kept(name, datum)), name),
        );
        return;
      case "flatMap":
        this.#put(
          name,
          input.flatMap((datum) => tried(datum, copied(name, datum)), name),
        );
        return;
      case "split": {
        const left = (datum: Datum) => tried(datum, branchOf(name, datum) === "left");
        const right = (datum: Datum) => branchOf(name, datum) === "right";
        const streams = input.split({ left, right }, name);
        this.#put(name, streams.rest);
        for (const branch of BRANCHES) this.#put(`${name}|${branch}`, streams[branch]);
      }
    }
  }

  #keyed({ name, groups }: { name: string; groups: number }, input: Input) {
    return this.#stream(input).keyBy((datum) => groupOf(name, groups, datum));
  }

  #trip(name: string, fault: Fault | undefined): Trip {
    const passes = fault === undefined || (!fault.forGood && this.#version === "mended");
    return (datum) => {
      if (passes || !failsOn(name, fault, datum)) return;
      throw new Error(fault.forGood ? FOR_GOOD : UNTIL_MENDED);
    };
  }

  #put(name: string, stream: Stream<Datum>): void {
    this.#streams.set(name, stream);
  }

  #stream({ from, output }: Input): Stream<Datum> {
    const name = output === undefined ? from : `${from}|${output}`;
    const stream = this.#streams.get(name) ?? this.#lazy.get(name)?.();
    if (stream === undefined) throw new Error(`the spec reads ${from}, which it does not have`);
    this.#put(name, stream);
    return stream;
  }
}
