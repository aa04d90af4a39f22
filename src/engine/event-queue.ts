/** EventQueue: the transport contract between what accepts events and what applies them. */

/**
 * A durable, at-least-once, unordered queue of texts: well-formed Unicode without NUL, as JSON is.
 *
 * Guarantee: when `send` resolves, all of `messages` are durable together. When it rejects with a QueueError of
 * outcome `none`, none is; with `unknown`, they may be.
 */
export interface EventQueue {
  /** At most `limits.messages` messages of at most `limits.messageBytes` bytes each, `limits.sendBytes` in all. */
  send(messages: readonly string[]): Promise<void>;
  /** What waits in the queue, as far as is known. */
  backlog(): Promise<Backlog>;
  readonly limits: QueueLimits;
}

export interface QueueLimits {
  readonly messages: number;
  readonly messageBytes: number;
  readonly sendBytes: number;
}

export interface Backlog {
  readonly messages: number;
  readonly bytes: number;
  /** When the oldest waiting message was sent, epoch milliseconds. */
  readonly oldest?: number;
}

/**
 * One delivery of one message. The first of `ack` and `retry` counts, and a consumer must call one for each: what it
 * leaves unsettled is only sure to come again when it throws.
 */
export interface Delivery {
  readonly id: string;
  readonly body: unknown;
  /** 1 on the first delivery. */
  readonly attempts: number;
  ack(): void;
  retry(options?: { readonly delaySeconds?: number }): void;
}

/** Handles a batch of deliveries; the batch may be empty. */
export type Consumer = (batch: readonly Delivery[]) => Promise<void>;
