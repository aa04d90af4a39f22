/** What a test and the queue Worker say to each other, in JSON. */
import type { Backlog } from "../../../src/engine/event-queue.ts";

/** The Worker's question: a batch that it was handed, and that waits for the verdict. */
export interface Handed {
  readonly queue: string;
  readonly messages: readonly { readonly id: string; readonly body: unknown; readonly attempts: number }[];
}

/** A call on the nth message of a batch. */
export interface Call {
  readonly n: number;
  readonly how: "ack" | "retry";
  readonly delaySeconds?: number | undefined;
}

/** The test's answer: what the consumer does, in this order; with `thrown` it throws in the end. */
export interface Verdict {
  readonly calls: readonly Call[];
  readonly thrown?: string;
}

/** The Worker's answer to `POST /send`, whose body are the texts, and `GET /backlog`. */
export interface Answer {
  /** After a send: what the send heard. */
  readonly backlog?: Backlog;
  readonly refused?: { readonly message: string; readonly outcome: "none" | "unknown" };
}
