/** What the bench asks its load generator to do, and what it gets back. Plain data: it crosses a process boundary. */

/** A stream of clicks. Two workloads that are equal give the same requests, byte for byte. */
export interface Workload {
  readonly name: string;
  /** Events in a request. */
  readonly events: number;
  /** Distinct URLs. */
  readonly keys: number;
  /** `in turn`: each key once before one comes again. */
  readonly spread: "uniform" | "zipf" | "in turn";
  /** Requests under way at once, where it says. */
  readonly connections?: number;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** As fast as the server answers. */
export interface FloodJob {
  readonly kind: "flood";
  readonly to: Address;
  readonly workload: Workload;
  readonly connections: number;
  readonly seconds: number;
  /** It stops earlier when so many events were sent. */
  readonly maxEvents: number;
  /** It starts at this request of the workload, so that rounds go on and do not repeat. */
  readonly from: number;
}

/** At a steady rate, whether or not the server keeps up, with marked events among it that are looked for. */
export interface SteadyJob {
  readonly kind: "steady";
  readonly to: Address;
  readonly workload: Workload;
  readonly seconds: number;
  /** Requests a second. */
  readonly rate: number;
  /** Path that answers 200 once a key can be read; the key is put behind it. */
  readonly readPath: string;
}

/** Gets a path again and again, one request at a time. `*` in it is replaced by keys of the workload in turn. */
export interface ReadJob {
  readonly kind: "read";
  readonly to: Address;
  readonly path: string;
  readonly keys: number;
  readonly times: number;
}

/** Has so many viewers watch a live view, each over a WebSocket of its own, until the next job of this kind. */
export interface WatchJob {
  readonly kind: "watch";
  readonly to: Address;
  readonly path: string;
  readonly viewers: number;
}

/** Posts a click, waits until a viewer of its key is told, and again. */
export interface PushJob {
  readonly kind: "push";
  readonly to: Address;
  /** Of the view's live address, with the key behind it. */
  readonly path: string;
  readonly seconds: number;
}

export type Job = FloodJob | SteadyJob | ReadJob | WatchJob | PushJob;

export interface FloodResult {
  readonly accepted: number;
  readonly requests: number;
  /** Answers 429; what they refused was sent again. */
  readonly refused: number;
  /** From the first byte sent to the last answer read. */
  readonly seconds: number;
  /** When it started, epoch milliseconds. */
  readonly startedAt: number;
}

export interface SteadyResult {
  readonly accepted: number;
  /** Of the requests, ms, from when each was due. */
  readonly post: Percentiles;
  /** Of the marked events, ms, from when each was due to be sent until it was read. */
  readonly readable: Percentiles;
}

export interface ReadResult {
  readonly times: Percentiles;
}

/** Of the viewers before, as they leave. */
export interface WatchResult {
  /** The least and the most that one of them was told, and of all. */
  readonly least: number;
  readonly most: number;
  readonly messages: number;
  /** Viewers who were cut off. */
  readonly lost: number;
}

export interface PushResult {
  readonly accepted: number;
  /** From the post to the message, ms. */
  readonly told: Percentiles;
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export type Result<J extends Job> = J extends FloodJob
  ? FloodResult
  : J extends SteadyJob
    ? SteadyResult
    : J extends WatchJob
      ? WatchResult
      : J extends PushJob
        ? PushResult
        : ReadResult;

/** Nearest rank. What did not happen in time is Infinity, and sorts last. */
export function percentiles(times: readonly number[]): Percentiles {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
