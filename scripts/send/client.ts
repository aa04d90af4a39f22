/** Client: the two HTTP requests of a send, repeated until the server has answered them. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Answer,
  comesTooEarly,
  describe,
  field,
  isTransient,
  type Reply,
  readAnswer,
  readReply,
  refusal,
} from "./answers.ts";
import { reasonOf, SendError } from "./failure.ts";

/** `unreachable`: no answer that says anything; ask again later. */
export type TicketState = "applied" | "in-flight" | "unknown" | "unreachable";

export interface ClientOptions {
  /** Without a slash at its end. */
  readonly server: string;
  readonly source: string;
  readonly key: string | undefined;
  readonly producer: string;
  readonly replay: boolean;
  /** Milliseconds without any useful answer after which it gives up. */
  readonly patience: number;
  readonly signal: AbortSignal;
  /** Called for each repeated request, with the reason. */
  readonly onRetry: (reason: string) => void;
}

const REQUEST_TIMEOUT_MS = 60_000;
const BACKOFF_MS = { first: 200, most: 5_000 };

export class Client {
  readonly #options: ClientOptions;
  readonly #headers: Record<string, string>;
  #pausedUntil = 0;
  #lastAnswer = Date.now();
  #reachableSince = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#headers = options.key === undefined ? {} : { Authorization: `Bearer ${options.key}` };
  }

  /** Epoch milliseconds since when each request got an answer; Infinity while the last one did not. */
  get reachableSince(): number {
    return this.#reachableSince;
  }

  /**
   * Sends request `sequence` until it is answered, always with the same bytes. `body` is gzip-compressed NDJSON. Throws
   * a `SendError` for an answer that repeating does not change, and when patience runs out.
   */
  async post(sequence: number, body: Uint8Array<ArrayBuffer>, last: boolean): Promise<Answer> {
    const { server, source, producer, replay, onRetry } = this.#options;
    const headers: Record<string, string> = {
      ...this.#headers,
      "Content-Type": "application/x-ndjson",
      "Content-Encoding": "gzip",
      "Millrace-Producer": producer,
      "Millrace-Sequence": String(sequence),
    };
    if (replay) headers["Millrace-Replay"] = "1";
    if (replay && last) headers["Millrace-End"] = "1";

    for (let attempt = 0; ; attempt++) {
      await this.#whilePaused();
      const url = `${server}/v1/sources/${encodeURIComponent(source)}`;
      const response = await this.#request(url, { method: "POST", headers, body });
      const answer = typeof response === "string" ? undefined : readAnswer(response);
      if (answer !== undefined) return answer;
      const reason = typeof response === "string" ? response : describe(response);
      onRetry(reason);
      this.#checkPatience(reason);
      await this.#backOff(attempt, typeof response === "string" ? undefined : response.retryAfter);
    }
  }

  /** Asks once. A ticket that the server does not know may belong to a queue that it lost: `unknown`. */
  async ticket(id: string): Promise<TicketState> {
    await this.#whilePaused();
    const response = await this.#request(`${this.#options.server}/v1/tickets/${encodeURIComponent(id)}`, {});
    if (typeof response !== "string") {
      if (response.status === 200)
        return field(response.body, "state") === "applied" ? "applied" : "in-flight";
      if (response.status === 404) return "unknown";
      if (!isTransient(response.status)) throw refusal(response);
      this.#pause(response.retryAfter ?? 0);
    }
    this.#checkPatience(typeof response === "string" ? response : describe(response));
    return "unreachable";
  }

  /** The whole answer, or the reason why there is none. */
  async #request(url: string, init: RequestInit): Promise<Reply | string> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    // Not `AbortSignal.any` with `AbortSignal.timeout`: they hold on to each request until the time is up.
    const ending = new AbortController();
    const onStop = () => ending.abort(signal.reason);
    const timer = setTimeout(() => ending.abort(new Error("no answer in time")), REQUEST_TIMEOUT_MS);
    signal.addEventListener("abort", onStop);
    try {
      const headers = init.headers ?? this.#headers;
      const response = await fetch(url, { ...init, headers, redirect: "manual", signal: ending.signal });
      const reply = await readReply(response);
      if (comesTooEarly(reply)) return reply;
      if (reply.status < 500) this.#answered();
      else this.#reachableSince = Number.POSITIVE_INFINITY;
      return reply;
    } catch (thrown) {
      signal.throwIfAborted();
      this.#reachableSince = Number.POSITIVE_INFINITY;
      return reasonOf(thrown) || "no answer";
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onStop);
    }
  }

  #answered(): void {
    this.#lastAnswer = Date.now();
    this.#reachableSince = Math.min(this.#reachableSince, this.#lastAnswer);
  }

  #checkPatience(reason: string): void {
    const { patience, server } = this.#options;
    if (Date.now() - this.#lastAnswer < patience) return;
    throw new SendError(
      `${server} has not answered for ${Math.round(patience / 1000)} s (${reason}). ` +
        "Start it (npm start), or name another with --url.",
    );
  }

  async #backOff(attempt: number, retryAfter: number | undefined): Promise<void> {
    const { signal } = this.#options;
    const most = Math.min(BACKOFF_MS.first * 2 ** attempt, BACKOFF_MS.most);
    if (retryAfter === undefined) return await sleep(most * (0.5 + Math.random() / 2), undefined, { signal });
    this.#pause(retryAfter);
    await this.#whilePaused();
    // Not all at once after the pause.
    await sleep(most * Math.random(), undefined, { signal });
  }

  /** When the server asks for a pause, it asks all requests in flight. */
  #pause(milliseconds: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, Date.now() + milliseconds);
  }

  async #whilePaused(): Promise<void> {
    for (let wait = this.#pausedUntil - Date.now(); wait > 0; wait = this.#pausedUntil - Date.now()) {
      await sleep(wait, undefined, { signal: this.#options.signal });
    }
  }
}
