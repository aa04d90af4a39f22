/**
 * queueSink: sends each event as a JSON message `{ id, time, key?, data }` to another Cloudflare Queue, for any consumer.
 *
 * ```ts
 * orders.addSink(queueSink("to-billing", { binding: "BILLING" }))
 * ```
 *
 * At least once: a batch of which a part may not have arrived is sent again as a whole. The same event has the same
 * `id` each time, so a consumer that remembers ids handles each once. An event over the platform's 128 KB becomes a
 * dead letter; its neighbours are sent.
 */
import { byteLength } from "../byte-length.ts";
import type { Event } from "../event.ts";
import type { SinkBatch, SinkBinding, SinkContext, SinkOptions } from "../sink.ts";
import { Sink } from "../sink.ts";
import type { EventJson } from "./event-json.ts";
import { toEventJson } from "./event-json.ts";

export interface QueueSinkOptions extends SinkOptions {
  /** What the queue is called in the operator Worker's `env`, like `BILLING`. */
  readonly binding: string;
  /** What it is called in the account; by default as the binding, in lower case and with dashes: `billing`. */
  readonly queue?: string;
}

/** What is used of a Queue binding. */
export interface MessageQueue {
  sendBatch(messages: Iterable<{ readonly body: unknown; readonly contentType: "json" }>): Promise<unknown>;
}

/** The platform takes 100 messages, 128,000 B each and 256,000 B in all, and counts headers of its own in. */
const LIMITS = { messages: 100, messageBytes: 127_000, sendBytes: 245_000 };
/** About what the platform counts for a message besides its body. */
const MESSAGE_OVERHEAD = 100;

export function queueSink<T = unknown>(name: string, options: QueueSinkOptions): QueueSink<T> {
  return new QueueSink(name, options);
}

export class QueueSink<T> extends Sink<T> {
  override readonly bindings: readonly SinkBinding[];
  readonly #binding: string;

  constructor(name: string, { binding, queue, ...options }: QueueSinkOptions) {
    super(name, options);
    this.#binding = binding;
    this.bindings = [{ kind: "queue", binding, name: queue ?? binding.toLowerCase().replaceAll("_", "-") }];
  }

  async write({ events }: SinkBatch<T>, { env, reject }: SinkContext): Promise<void> {
    const queue = env[this.#binding] as Partial<MessageQueue> | undefined;
    if (typeof queue?.sendBatch !== "function") {
      throw new Error(
        `sink ${this.name}: there is no queue "${this.#binding}" here; run "npm run plan -- --write", or give one to JobStarter as env`,
      );
    }
    for (const bodies of sends(events, reject)) {
      await queue.sendBatch(bodies.map((body) => ({ body, contentType: "json" })));
    }
  }
}

/** The events as messages, laid into as few sends as the limits allow, in order. */
function* sends<T>(
  events: readonly Event<T>[],
  reject: (event: Event<T>, reason: string) => void,
): Iterable<EventJson<T>[]> {
  let bodies: EventJson<T>[] = [];
  let bytes = 0;
  for (const event of events) {
    const body = toEventJson(event);
    const size = byteLength(JSON.stringify(body));
    if (size > LIMITS.messageBytes) {
      reject(event, `it has ${size} bytes as a queue message; the limit is ${LIMITS.messageBytes}`);
      continue;
    }
    if (bodies.length === LIMITS.messages || bytes + size + MESSAGE_OVERHEAD > LIMITS.sendBytes) {
      yield bodies;
      bodies = [];
      bytes = 0;
    }
    bodies.push(body);
    bytes += size + MESSAGE_OVERHEAD;
  }
  if (bodies.length > 0) yield bodies;
}
