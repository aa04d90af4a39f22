/**
 * Usage: what a platform bills for events, counted as it is used, by the source or operator that it is for.
 *
 * An object counts what it is asked and what it does; what delivers batches to it counts those, and ingest what it refuses.
 * None writes a row for it: ingest says what it has used in its next segment, a consumer hands over what it has used so far
 * with its next call of a shard, a reader with its next read of one, and a shard stores what it has used, and what it was
 * handed, with its next commit. So what was used since then is lost when an object or an isolate goes away: these counts are
 * a lower bound, but for a call whose answer is lost, whose `used` is handed over again. Calls and batches are counted, never
 * events.
 */

/** Names are short since they ride in every commit; one that is absent is 0. Fields are only ever appended. */
export interface Usage {
  /** Requests to Workers: those that brought events or were refused, those that read, and batches of queues. */
  requests?: number;
  /** Queue operations. */
  queue?: number;
  /** Requests to objects: calls and alarms. */
  objects?: number;
  /** Rows written and read. */
  written?: number;
  read?: number;
  /** R2 operations by class. */
  r2a?: number;
  r2b?: number;
  /** Requests to objects that only read: for views, health and metrics. */
  reads?: number;
  /** How long objects were at work, milliseconds. */
  awake?: number;
}

/** A call of an object, or an alarm of its own. */
export const ONE_REQUEST: Readonly<Usage> = { objects: 1 };
export const ONE_READ: Readonly<Usage> = { reads: 1 };

/** By source or operator. */
export type Usages = Record<string, Usage>;

/** Also of fields that this code does not know: old and new code meet during a deploy. */
export function sumOf(left: Readonly<Usage>, right: Readonly<Usage>): Usage {
  const sum: Usage = { ...left };
  for (const name of Object.keys(right) as (keyof Usage)[]) {
    const more = right[name] ?? 0;
    if (more !== 0) sum[name] = (sum[name] ?? 0) + more;
  }
  return sum;
}

export function addUsage(to: Usages, part: string, more: Readonly<Usage>): void {
  to[part] = sumOf(Object.hasOwn(to, part) ? (to[part] as Usage) : {}, more);
}

export function addUsages(to: Usages, more: Readonly<Usages> = {}): void {
  for (const [part, usage] of Object.entries(more)) addUsage(to, part, usage);
}

/** What somebody has used and not yet handed over. */
export class UsageLedger {
  #open: Usages = {};

  add(part: string, usage: Readonly<Usage>): void {
    addUsage(this.#open, part, usage);
  }

  addAll(usages: Readonly<Usages> | undefined): void {
    addUsages(this.#open, usages);
  }

  /** All of it, which is then no longer here; undefined when there is nothing. */
  take(): Usages | undefined {
    if (Object.keys(this.#open).length === 0) return undefined;
    const taken = this.#open;
    this.#open = {};
    return taken;
  }

  /** Hands all of it over with something that may fail: then it is here again. */
  async handOver<T>(carry: (used: Usages | undefined) => Promise<T>): Promise<T> {
    const used = this.take();
    try {
      return await carry(used);
    } catch (error) {
      this.addAll(used);
      throw error;
    }
  }
}
