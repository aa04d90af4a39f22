/**
 * Lineage: where a line goes, found by running the job's own steps on it in this process.
 *
 * It follows a line to the operators behind the queue: to the keys of keyed views, and to stages and sinks by name. What
 * they make of it is decided in their shards, and not followed.
 */
import { passThrough } from "../../src/engine/source/chain.ts";
import { EventReader } from "../../src/engine/source/reader.ts";
import type { OperatorPlan, Plan, SourcePlan, Target } from "../../src/plan.ts";
import { isView, viewsOf } from "../../src/plan.ts";
import { UsageError } from "./failure.ts";

export interface ViewKey {
  readonly view: string;
  readonly key: string;
}

export interface Reach {
  readonly views: readonly ViewKey[];
  /** The stages and sinks, once for each event that they get. */
  readonly others: readonly string[];
}

const NOWHERE: Reach = { views: [], others: [] };

export class Lineage {
  readonly source: SourcePlan;
  readonly #plan: Plan;

  /** @throws UsageError that names the sources there are. */
  constructor(plan: Plan, source: string) {
    const found = plan.sources.get(source);
    if (found === undefined) {
      const names = [...plan.sources.keys()].join(", ");
      throw new UsageError(`--source ${source}: there is no such source; there are: ${names}.`);
    }
    this.#plan = plan;
    this.source = found;
  }

  /** What the source calls itself: `ClickReader`. */
  get reader(): string {
    return this.source.source.constructor.name;
  }

  /** A view that shows what becomes of the lines: one right behind the source, else any of its job; by key, if there is one. */
  get view(): string | undefined {
    const near = this.source.targets.filter(isView);
    const all = [...near, ...viewsOf(this.#plan).filter(({ job }) => job === this.source.job)];
    return (all.find(isKeyed) ?? all[0])?.name;
  }

  /** The bindings of the buckets that sinks write to. */
  get buckets(): string[] {
    const sinks = [...this.#plan.operators.values()].filter((operator) => operator.kind === "sink");
    const bindings = sinks.flatMap(({ sink }) => sink.bindings ?? []);
    return [...new Set(bindings.filter(({ kind }) => kind === "r2").map(({ binding }) => binding))];
  }

  /** What the operator calls itself: `PageViewCounter`; its name, if it has no class of its own. */
  title(name: string): string {
    const operator = this.#plan.operators.get(name);
    const own = operator === undefined ? undefined : classOf(operator);
    return own === undefined || own === "AggregatorOperator" ? name : own;
  }

  /** Where an accepted record goes. Nowhere, when the steps fail on it: that is shown by the server, not here. */
  reachOf(value: unknown): Reach {
    try {
      const events = new EventReader(this.source.source, "", Date.now()).read(value, 0);
      const routed = events.flatMap((event) => passThrough(this.source.steps, event).routed);
      return {
        views: routed.flatMap(({ target, event: { key } }) =>
          isKeyed(target) && key !== undefined ? [{ view: target.name, key }] : [],
        ),
        others: routed.flatMap(({ target }) => (isView(target) ? [] : [target.name])),
      };
    } catch {
      return NOWHERE;
    }
  }
}

/** Windows show nothing yet when a line has been applied: whoever waits for them reads them by time. */
function isKeyed(target: Target): boolean {
  return isView(target) && target.kind !== "window";
}

/** Only of views: stages and sinks are made by functions, whose classes all have the same few names. */
function classOf(operator: OperatorPlan): string | undefined {
  if (operator.kind === "aggregate") return operator.aggregate.constructor.name;
  return operator.kind === "process" ? operator.process.constructor.name : undefined;
}

/** What a line stands for: a JSON object if it is one, else the text itself. */
export function recordOf(line: string): unknown {
  if (!line.startsWith("{")) return line;
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
