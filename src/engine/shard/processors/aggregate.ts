/** AggregateProcessor: merges partial accumulators into a key's, and emits what changed in a commit. */
import type { AggregatePlan } from "../../../plan.ts";
import { copyOf, storable } from "../../accumulator.ts";
import { RECORD_WIDTH } from "../../segment.ts";
import type { DeadLetter } from "../protocol.ts";
import type { Fresh, InputRecord, Processor, Scratch } from "../scratch.ts";

export class AggregateProcessor implements Processor {
  readonly #operator: AggregatePlan;
  readonly #isRead: boolean;
  /** The latest event time that each key has in the commit at hand, which is `#of`: one that failed may have left some. */
  readonly #times = new Map<string, number>();
  #of: Scratch | undefined;

  constructor(operator: AggregatePlan) {
    this.#operator = operator;
    this.#isRead = operator.outputs.targets.length > 0;
  }

  get growing(): boolean {
    return this.#operator.aggregate.growing;
  }

  keysOf(fresh: readonly Fresh[]): string[] {
    return recordKeys(fresh);
  }

  apply({ key, partial, n, time }: InputRecord, scratch: Scratch): "applied" {
    const { aggregate, maxKeys } = this.#operator;
    const { counters } = scratch;
    const old = scratch.get(key);
    if (old === undefined && counters.keys >= maxKeys) {
      counters.overflow = storable(aggregate.merge(copyOf(counters.overflow ?? aggregate.create()), partial));
      counters.overflowEvents += n;
      return "applied";
    }
    const merged = storable(aggregate.merge(old === undefined ? aggregate.create() : copyOf(old), partial));
    const before = old === undefined ? 0 : numeric(aggregate.result(old));
    const after = numeric(aggregate.result(merged));
    // From here on nothing throws: a record counts whole or not at all.
    scratch.put(key, merged);
    if (old === undefined) counters.keys++;
    counters.total += after - before;
    if (this.#isRead) this.#note(key, time ?? scratch.now, scratch);
    return "applied";
  }

  remains({ key, partial }: InputRecord): Pick<DeadLetter, "record"> {
    return { record: { key, partial } };
  }

  /** One event for each key whose result has changed, with the latest event time of what changed it. */
  finish(scratch: Scratch): void {
    if (this.#of !== scratch) return;
    const { aggregate } = this.#operator;
    for (const [key, time] of this.#times) {
      const before = scratch.before(key);
      const value = aggregate.result(scratch.get(key));
      const previous = before === undefined ? undefined : aggregate.result(before);
      if (before !== undefined && same(value, previous)) continue;
      const id = scratch.outputId();
      const data = before === undefined ? { key, value } : { key, value, previous };
      scratch.emit(undefined, { id, time, data });
    }
    this.#times.clear();
    this.#of = undefined;
  }

  #note(key: string, time: number, scratch: Scratch): void {
    if (this.#of !== scratch) this.#times.clear();
    this.#of = scratch;
    this.#times.set(key, Math.max(this.#times.get(key) ?? 0, time));
  }

  result(value: unknown): unknown {
    return this.#operator.aggregate.result(value);
  }
}

/** With repetition: whoever reads them finds each one once. */
export function recordKeys(fresh: readonly Fresh[]): string[] {
  const keys: string[] = [];
  for (const { content } of fresh) {
    for (let at = 0; at < content.records.length; at += RECORD_WIDTH)
      keys.push(content.records[at] as string);
  }
  return keys;
}

/** What a result adds to the view's total: a result that is no finite number adds nothing, or it would spoil it for ever. */
export function numeric(result: unknown): number {
  return typeof result === "number" && Number.isFinite(result) ? result : 0;
}

function same(a: unknown, b: unknown): boolean {
  return (
    Object.is(a, b) ||
    (typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b))
  );
}
