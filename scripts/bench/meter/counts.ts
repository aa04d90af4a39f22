/** Counts: what the platform bills, as far as it can be counted in a run. */

export interface Counts {
  /** Requests to the public Worker that bring events. */
  requests: number;
  /** Batches handed to a consumer: each is a request to its Worker. */
  batches: number;
  /** Messages, each counted as often as it was delivered. */
  deliveries: number;
  /** Queue operations, one per 64 KB of a message. */
  writes: number;
  reads: number;
  deletes: number;
  /** Calls of Durable Objects, alarms among them. */
  objectRequests: number;
  /** Of those, calls of shards, and of the feeds of live views. */
  shardRequests: number;
  feedRequests: number;
  /** Objects that were called since the last count. */
  objects: number;
  /** How long objects were called for, each from a call until its answer, and once however many there were at a time. */
  objectMilliseconds: number;
  rowsWritten: number;
  rowsRead: number;
  /** R2 operations that write or list, and those that read. */
  r2ClassA: number;
  r2ClassB: number;
}

export function noCounts(): Counts {
  return {
    requests: 0,
    batches: 0,
    deliveries: 0,
    writes: 0,
    reads: 0,
    deletes: 0,
    objectRequests: 0,
    shardRequests: 0,
    feedRequests: 0,
    objects: 0,
    objectMilliseconds: 0,
    rowsWritten: 0,
    rowsRead: 0,
    r2ClassA: 0,
    r2ClassB: 0,
  };
}

export function sumOf(all: readonly Counts[]): Counts {
  const sum = noCounts();
  for (const counts of all) for (const name of namesOf(sum)) sum[name] += counts[name];
  return sum;
}

export function differenceOf(after: Counts, before: Counts): Counts {
  const difference = noCounts();
  for (const name of namesOf(difference)) difference[name] = after[name] - before[name];
  return difference;
}

function namesOf(counts: Counts): (keyof Counts)[] {
  return Object.keys(counts) as (keyof Counts)[];
}
