/**
 * webhook: posts events in batches to an HTTP endpoint, signed as the Standard Webhooks specification says.
 *
 * ```ts
 * alerts.addSink(webhook("alerts", { url: "https://example.com/hook", secret: { env: "ALERTS_SECRET" } }))
 * ```
 *
 * The body is `{"id": …, "sink": "alerts", "events": [{"id", "time", "key"?, "data"}, …]}`. Each batch is delivered at
 * least once, always with the same `webhook-id` (also as `Idempotency-Key`) and the same bytes, so a receiver that
 * remembers ids handles it once. Batches of one shard come in order, one at a time.
 *
 * Specification: standardwebhooks.com, 1.0.0.
 */
import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import { RejectedBatchError } from "../errors.ts";
import type { EnvText } from "../http.ts";
import { checkUrl, failureOf, headersOf, readText, send, textOf } from "../http.ts";
import { span } from "../plan/options.ts";
import type { SinkBatch, SinkContext, SinkOptions } from "../sink.ts";
import { Sink } from "../sink.ts";
import { toEventJson } from "./event-json.ts";

export interface WebhookOptions extends SinkOptions {
  readonly url: EnvText;
  /**
   * The variable that holds the signing secret, `whsec_` and base64; two of them, with a space between, while one
   * replaces the other. Without it nothing is signed.
   */
  readonly secret?: { readonly env: string };
  readonly headers?: Readonly<Record<string, EnvText>>;
  /** Milliseconds or words like "20 seconds", which is the default. */
  readonly timeout?: number | string;
  /** For the timestamp, which receivers compare with their own clocks. */
  readonly clock?: Clock;
}

/** Answers that a later try may change; any other below 500 stays what it is. */
const RETRIED = new Set([408, 425, 429]);
const ANSWER_BYTES = 2_000;

/**
 * 2xx is delivered. 408, 425, 429, 5xx, redirects, timeouts and failed connections are tried again, for ever, with
 * backoff and not before what `Retry-After` says (up to an hour). Any other 4xx sends the batch's events to dead
 * letters. A batch has 100 events or 100,000 bytes of JSON at most, unless `batchEvents` and `batchBytes` say otherwise.
 *
 * @throws PlanError when the URL or the timeout is none.
 */
export function webhook<T = unknown>(name: string, options: WebhookOptions): WebhookSink<T> {
  return new WebhookSink(name, options);
}

export class WebhookSink<T> extends Sink<T> {
  readonly #options: WebhookOptions;
  readonly #timeoutMs: number;

  constructor(name: string, options: WebhookOptions) {
    const { url, secret: _, headers: __, timeout, clock: ___, ...batches } = options;
    super(name, { batchEvents: 100, batchBytes: 100_000, ...batches });
    this.#options = options;
    this.#timeoutMs = span(`sink ${name}`, "timeout", timeout, 20_000);
    if (typeof url === "string") checkUrl(`sink ${name}`, url);
  }

  async write(batch: SinkBatch<T>, { env }: SinkContext): Promise<void> {
    const owner = `sink ${this.name}`;
    const { url: place, secret, headers = {}, clock = systemClock } = this.#options;
    const url = textOf(owner, place, env);
    const timestamp = Math.floor(clock.now() / 1000);
    const body = JSON.stringify({ id: batch.id, sink: this.name, events: batch.events.map(toEventJson) });
    const signed =
      secret === undefined
        ? {}
        : {
            "webhook-signature": await signatures(
              owner,
              textOf(owner, secret, env),
              `${batch.id}.${timestamp}.${body}`,
            ),
          };
    const response = await send(owner, {
      url,
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "millrace",
        ...headersOf(owner, headers, env),
        "idempotency-key": batch.id,
        "webhook-id": batch.id,
        "webhook-timestamp": String(timestamp),
        ...signed,
      },
      body,
      timeoutMs: this.#timeoutMs,
      redirect: "manual",
    });
    await settle(owner, url, response, clock.now());
  }
}

/** @throws RejectedBatchError when the receiver will never take it; RetryAfterError or Error when it may later. */
async function settle(owner: string, url: string, response: Response, now: number): Promise<void> {
  // Read or not, a body holds its connection until it is done with; what it says does not change what has happened.
  const said = await readText(response, ANSWER_BYTES).catch(() => undefined);
  if (response.ok) return;
  const { status } = response;
  if (status < 400 || status >= 500 || RETRIED.has(status)) throw failureOf(owner, url, response, now);
  throw new RejectedBatchError(
    `the receiver answered ${status}${said === undefined || said === "" ? "" : `: ${said.slice(0, 200)}`}`,
  );
}

/** One signature for each secret, `v1,` and base64, with spaces between. */
async function signatures(owner: string, secrets: string, content: string): Promise<string> {
  const bytes = new TextEncoder().encode(content);
  const signed = secrets
    .trim()
    .split(/\s+/)
    .map(async (secret) => {
      const algorithm = { name: "HMAC", hash: "SHA-256" } as const;
      const key = await crypto.subtle.importKey("raw", keyOf(owner, secret), algorithm, false, ["sign"]);
      return `v1,${toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes)))}`;
    });
  return (await Promise.all(signed)).join(" ");
}

/** @throws Error, without the secret in it, when it is none. */
function keyOf(owner: string, secret: string): Uint8Array<ArrayBuffer> {
  try {
    const key = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (byte) => byte.charCodeAt(0));
    if (key.length > 0) return key;
  } catch {
    // Told below: the platform's own message might quote it.
  }
  throw new Error(
    `${owner}: the secret is not base64; write it as whsec_ and 24 to 64 random bytes in base64`,
  );
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
