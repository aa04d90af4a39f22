/**
 * Recount: what a job must come to, by interpreting its spec over what was accepted. It imports nothing from the engine.
 *
 * Everything that can be mended has been by then, so what failed only for a while has been applied.
 */
import type { Accepted, Content, Expected, TimedRow } from "./expected.ts";
import type { Datum, Fault } from "./semantics.ts";
import {
  branchOf,
  copied,
  failsOn,
  groupOf,
  isOdd,
  kept,
  mapped,
  ODD,
  passed,
  weightOf,
} from "./semantics.ts";
import type { EventTimeSpec, Input, JobSpec, NodeSpec, Version } from "./spec.ts";
import { DEFAULT_BOUND, feedersOf, isInEventTime, isPulled, nodesOf, reachedFrom } from "./spec.ts";

/** See TimedRow. */
interface Passed {
  readonly from: string;
  /** The lowest door of its copies, while nothing but steps lies between. */
  readonly door?: number;
  readonly high: number;
}

interface Row {
  readonly datum: Datum;
  readonly version: Version;
  readonly passed: Passed;
}

/**
 * @param accepted by HTTP sources and pull sources alike.
 * @param version whose operators are counted; what `old` has and others have not may come to less, as it was retired.
 */
export function recount(
  spec: JobSpec,
  accepted: readonly Accepted[],
  version: "old" | "mended" = "mended",
): Expected {
  return new Interpreter(nodesOf(spec, version)).run(accepted);
}

class Interpreter {
  readonly #nodes: readonly NodeSpec[];
  readonly #streams = new Map<string, Row[]>();
  readonly #contents = new Map<string, Content>();
  readonly #letters = new Map<string, string[]>();
  readonly #stageRuns = new Map<string, number>();
  #emitted = 0;

  constructor(nodes: readonly NodeSpec[]) {
    this.#nodes = nodes;
  }

  run(accepted: readonly Accepted[]): Expected {
    for (const node of this.#nodes) {
      if (node.kind === "source" || node.kind === "pull") {
        this.#put(
          node.name,
          accepted.filter(({ source }) => source === node.name).map((one) => received(node, one)),
        );
      } else {
        this.#apply(node);
      }
    }
    return { contents: this.#contents, letters: this.#letters, stageRuns: this.#stageRuns };
  }

  #apply(node: Exclude<NodeSpec, { kind: "source" | "pull" }>): void {
    const { name } = node;
    switch (node.kind) {
      case "union":
        this.#put(
          name,
          node.inputs.flatMap((input) => this.#read(node, input)),
        );
        return;
      case "map":
        this.#put(
          name,
          this.#each(node, node.fault, (datum) => [mapped(name, datum)]),
        );
        return;
      case "filter":
        this.#put(
          name,
          this.#each(node, node.fault, (datum) => (kept(name, datum) ? [datum] : [])),
        );
        return;
      case "flatMap":
        this.#put(
          name,
          this.#each(node, node.fault, (datum) => copied(name, datum)),
        );
        return;
      case "split": {
        for (const row of this.#each(node, node.fault, (datum) => [datum])) {
          const branch = branchOf(name, row.datum);
          this.#push(branch === undefined ? name : `${name}|${branch}`, row);
        }
        return;
      }
      case "stage":
        for (const row of this.#each(node, node.fault, (datum) => [datum])) {
          const { datum } = row;
          const out = isOdd(name, datum) ? `${name}|${ODD}` : name;
          this.#push(out, this.#through(name, { ...row, datum: passed(name, datum) }));
          const pass = `${name} ${datum.id}`;
          this.#stageRuns.set(pass, (this.#stageRuns.get(pass) ?? 0) + 1);
        }
        return;
      case "aggregate":
        this.#aggregate(node);
        return;
      case "process":
        this.#process(node);
        return;
      case "enrich": {
        const latest = new Map<string, number>();
        for (const { datum } of this.#read(node, node.table)) {
          const key = groupOf(name, node.groups, datum);
          latest.set(key, Math.max(latest.get(key) ?? 0, datum.time ?? 0));
        }
        this.#contents.set(name, { kind: "latest", byKey: latest });
        this.#put(
          name,
          this.#each(node, node.fault, (datum) => [datum]).map((row) => this.#through(name, row)),
        );
        return;
      }
      case "window":
      case "timed":
      case "join":
        this.#inEventTime(node);
        return;
      case "sink":
        // What operators in event time give off is judged with them.
        if (!this.#isInEventTime(node.input)) this.#sink(node);
    }
  }

  #aggregate(node: NodeSpec & { kind: "aggregate" }): void {
    const { name, fn, groups } = node;
    const byKey = new Map<string, number>();
    // What is fragile can always be mended.
    for (const { datum } of this.#each(node, fn === "fragile" ? undefined : node.fault, (one) => [one])) {
      const key = groupOf(name, groups, datum);
      byKey.set(key, (byKey.get(key) ?? 0) + (fn === "count" ? 1 : weightOf(datum)));
    }
    this.#contents.set(name, { kind: "numbers", byKey });
    this.#put(name, weights(byKey));
  }

  #process(node: NodeSpec & { kind: "process" }): void {
    const { name, fn, groups } = node;
    const timed = fn === "once" || fn === "total";
    const rows = this.#each(node, timed ? undefined : node.fault, (datum) => [datum]);
    const byKey = new Map<string, Row[]>();
    for (const row of rows) {
      const key = groupOf(name, groups, row.datum);
      byKey.set(key, [...(byKey.get(key) ?? []), row]);
    }
    const numbers = (of: (some: Row[]) => number) =>
      new Map([...byKey].map(([key, some]) => [key, of(some)] as const));
    switch (fn) {
      case "number":
        this.#contents.set(name, { kind: "numbers", byKey: numbers((some) => some.length) });
        this.#put(name, this.#passedOn(name, rows));
        return;
      case "fleeting":
        this.#contents.set(name, { kind: "nothing" });
        this.#put(name, this.#passedOn(name, rows));
        return;
      case "once":
        this.#contents.set(name, { kind: "numbers", byKey: numbers(() => 1) });
        for (const key of byKey.keys()) this.#push(name, made({ id: `${name}:${key}`, key, v: 1 }));
        return;
      case "total": {
        const sums = numbers((some) => some.reduce((sum, { datum }) => sum + weightOf(datum), 0));
        this.#contents.set(name, { kind: "numbers", byKey: sums });
        this.#put(name, weights(sums));
        return;
      }
      case "dedupe": {
        const sets = new Map<string, Set<string>>();
        for (const [key, some] of byKey) {
          const values = new Set(some.map(({ datum }) => String(datum.v ?? 0)));
          sets.set(key, values);
          for (const v of values) this.#push(name, made({ id: `${name}:${key}#${v}`, key, v: Number(v) }));
        }
        this.#contents.set(name, { kind: "sets", byKey: sets });
      }
    }
  }

  #inEventTime(node: EventTimeSpec): void {
    const { name } = node;
    const upstream = this.#isInEventTime(node.input) ? node.input.from : undefined;
    this.#contents.set(name, {
      kind: "timed",
      node,
      upstream,
      closes: !isPulled(this.#nodes, node),
      rows: this.#timed(node, node.input),
      others: node.kind === "join" ? this.#timed(node, node.other) : [],
    });
  }

  #timed(node: EventTimeSpec, input: Input): TimedRow[] {
    // Doors count where nothing but sources lies in front.
    const isAtTheDoor = [...feedersOf(this.#nodes, node)].every(({ kind }) => kind === "source");
    return this.#read(node, input).map(({ datum, passed: { from, door, high } }) => ({
      id: datum.id ?? "",
      key: groupOf(node.name, node.groups, datum),
      time: datum.time ?? 0,
      ...{ from, high },
      low: isAtTheDoor ? (door ?? -1) : -1,
    }));
  }

  #isInEventTime({ from }: Input): boolean {
    const node = this.#nodes.find(({ name }) => name === from);
    return node !== undefined && isInEventTime(node);
  }

  /** What an operator in a shard has passed on: downstream it may come at any time, but is held for. */
  #through(name: string, row: Row): Row {
    return { ...row, passed: { from: `${name} ${this.#emitted++}`, high: row.passed.high } };
  }

  #passedOn(name: string, rows: readonly Row[]): Row[] {
    return rows.map((row) => this.#through(name, { ...row, datum: passed(name, row.datum) }));
  }

  #sink(node: NodeSpec & { kind: "sink" }): void {
    const counts = new Map<string, number>();
    const byKey = new Map<string, number>();
    for (const { datum } of this.#read(node, node.input)) {
      const { id, key } = datum;
      if (id === undefined) byKey.set(key, (byKey.get(key) ?? 0) + weightOf(datum));
      else counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    this.#contents.set(node.name, byKey.size > 0 ? { kind: "sums", byKey } : { kind: "ids", counts });
  }

  /** What a function makes of each of the node's input, but of those that it fails on for good. */
  #each(node: NodeSpec & { input: Input }, fault: Fault | undefined, fn: (datum: Datum) => Datum[]): Row[] {
    const rows: Row[] = [];
    for (const row of this.#read(node, node.input)) {
      if (fault?.forGood === true && failsOn(node.name, fault, row.datum)) this.#bury(node, row);
      else for (const datum of fn(row.datum)) rows.push({ ...row, datum });
    }
    return rows;
  }

  /** One letter for each operator that the item would have been on its way to. */
  #bury(node: NodeSpec, { datum, version }: Row): void {
    const isStep = ["map", "filter", "flatMap", "split"].includes(node.kind);
    const bound = isStep ? reachedFrom(this.#nodes, node.name) : new Set([node.name]);
    for (const operator of bound) {
      const isAdded = this.#nodes.some(({ name, since }) => name === operator && since !== undefined);
      if (isAdded && version === "old") continue;
      const letters = this.#letters.get(operator) ?? [];
      letters.push(`${node.name} ${datum.id}`);
      this.#letters.set(operator, letters);
    }
  }

  #read(reader: NodeSpec, { from, output }: Input): Row[] {
    const rows = this.#streams.get(output === undefined ? from : `${from}|${output}`) ?? [];
    return reader.since === undefined ? rows : rows.filter(({ version }) => version !== "old");
  }

  #put(name: string, rows: readonly Row[]): void {
    this.#streams.set(name, [...rows]);
  }

  #push(name: string, row: Row): void {
    const rows = this.#streams.get(name);
    if (rows === undefined) this.#streams.set(name, [row]);
    else rows.push(row);
  }
}

/** What an operator makes anew: it no longer matters who routed what it is made of. */
function made(datum: Datum): Row {
  return { datum, version: "mended", passed: { from: datum.id ?? "", high: 0 } };
}

function weights(byKey: ReadonlyMap<string, number>): Row[] {
  return [...byKey].map(([key, v]) => made({ key, v }));
}

function received(node: NodeSpec, { datum, version, arrivals = [] }: Accepted): Row {
  const from = datum.id ?? "";
  // What a pull source gives comes in the order of its times.
  if (node.kind !== "source") return { datum, version, passed: { from, high: (datum.time ?? 0) - 1 } };
  const doors = arrivals.map((arrival) => arrival - (node.bound ?? DEFAULT_BOUND) - 1);
  return { datum, version, passed: { from, door: Math.min(...doors), high: Math.max(...doors) } };
}
