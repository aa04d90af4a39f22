/** The errors of the library: each names its component, can be told apart by type, and says what to do. */

/** Base of all errors thrown by Millrace; `component` says who speaks, `cause` keeps what was caught. */
export class MillraceError extends Error {
  readonly component: string;

  constructor(component: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.component = component;
    this.name = new.target.name;
  }
}

/** The job or its plan makes no sense: thrown while the graph is built or planned, never while events flow. */
export class PlanError extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super("plan", message, options);
  }
}

/** One incoming record is not a valid event. It is rejected to its sender; its neighbours proceed. */
export class InvalidEventError extends MillraceError {
  readonly tooLarge: boolean;

  /** `tooLarge` tells a record that is over a limit from one that is malformed. */
  constructor(message: string, tooLarge: boolean = false) {
    super("source", message);
    this.tooLarge = tooLarge;
  }
}

/** An operator threw on an event, in a job whose policy is `fail`: the event is refused, nothing of it is applied. */
export class OperatorFailedError extends MillraceError {
  constructor(operator: string, error: string) {
    super("operator", `operator ${operator} failed: ${error}`);
  }
}

/** A request as a whole is over a limit (HTTP 413); `message` names the limit. */
export class TooLargeError extends MillraceError {
  constructor(message: string) {
    super("source", message);
  }
}

/** A queue message cannot be understood by this version of the code. It is retried, then dead-lettered, never dropped. */
export class EnvelopeError extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super("envelope", message, options);
  }
}

/** A shard may not take this call (other generation, other shard count, changed operator). Retry later: a deploy may be under way. */
export class ShardRefusedError extends MillraceError {
  constructor(message: string) {
    super("shard", message);
  }
}

/** A sink's target will never take this batch: its events go to dead letters instead of being tried again. */
export class RejectedBatchError extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super("sink", message, options);
  }
}

/** What a sink or a source talks to asks for patience (`Retry-After`): it is not tried again before that, an hour at most. */
export class RetryAfterError extends MillraceError {
  readonly afterMs: number;

  constructor(component: string, message: string, afterMs: number, options?: ErrorOptions) {
    super(component, message, options);
    this.afterMs = afterMs;
  }
}

/** The queue would not take messages, or did not say. `outcome` tells whether they may have arrived all the same. */
export class QueueError extends MillraceError {
  readonly outcome: "none" | "unknown";

  constructor(message: string, outcome: "none" | "unknown", options?: ErrorOptions) {
    super("queue", message, options);
    this.outcome = outcome;
  }
}

/** Stored state cannot be read by this version of the code, or has a gap. Nothing was changed. */
export class StateError extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super("state", message, options);
  }
}

const MAX_MESSAGE_LENGTH = 500;

/** What was thrown, as a short text without a stack: user code may throw anything, a hostile megabyte too. */
export function messageOf(thrown: unknown): string {
  const text = textOf(thrown);
  return text.length <= MAX_MESSAGE_LENGTH ? text : `${text.slice(0, MAX_MESSAGE_LENGTH).toWellFormed()}…`;
}

function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message || thrown.name) : String(thrown);
  } catch {
    return "an unprintable value was thrown";
  }
}
