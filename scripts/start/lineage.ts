/** Lineage: which keys of which views a line counts for, found by running the job's own steps on it in this process. */

import { passThrough } from "../../src/engine/source/chain.ts";
import { EventReader } from "../../src/engine/source/reader.ts";
import type { Plan, SourcePlan } from "../../src/plan.ts";
import { UsageError } from "./failure.ts";

export interface ViewKey {
  readonly view: string;
  readonly key: string;
}

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

  /** What the view's operator calls itself: `PageViewCounter`; the view's own name, if it has no class of its own. */
  title(view: string): string {
    const name = this.#plan.operators.get(view)?.aggregate.constructor.name;
    return name === undefined || name === "AggregatorOperator" ? view : name;
  }

  /** Where an accepted record goes. Nothing, when the steps fail on it: that is shown by the server, not here. */
  keysOf(value: unknown): ViewKey[] {
    try {
      return new EventReader(this.source.source, "", Date.now())
        .read({ index: 0, value })
        .flatMap((event) =>
          passThrough(this.source.steps, event).routed.flatMap(({ target, event: { key } }) =>
            key === undefined ? [] : [{ view: target.name, key }],
          ),
        );
    } catch {
      return [];
    }
  }
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

/** @throws UsageError that names the jobs there are. */
export function checkJob(plan: Plan, job: string): void {
  const names = plan.jobs.map((described) => described.job);
  if (names.includes(job)) return;
  throw new UsageError(`--job ${job}: there is no such job; there are: ${names.join(", ")}.`);
}
