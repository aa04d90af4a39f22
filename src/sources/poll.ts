/**
 * poll: a source that asks an HTTP endpoint for news, again and again.
 *
 * ```ts
 * const quakes = job.addSource(poll("quakes", {
 *   url: "https://example.com/quakes.json",
 *   every: "1 minute",
 *   read: (response, last = 0) => {
 *     const news = (response.json() as Quake[]).filter((quake) => quake.time > last);
 *     return { events: news.map((data) => ({ id: data.id, data })), cursor: Math.max(last, ...news.map((q) => q.time)) };
 *   },
 * }));
 * ```
 *
 * An answer's events, the cursor and the answer's `ETag` and `Last-Modified` are committed together, so each answer
 * counts exactly once; an endpoint that knows them answers 304 while nothing has changed, which costs no row. What is
 * new in an answer that has changed is for `read` to say, by its cursor.
 */
import { messageOf } from "../errors.ts";
import type { EnvText } from "../http.ts";
import { checkUrl, failureOf, headersOf, readText, send } from "../http.ts";
import { span, whole } from "../plan/options.ts";
import type { Pulled, PulledEvent, PullRequest, PullSourceOptions } from "../source.ts";
import { PullSource } from "../source.ts";

export interface PollOptions<T, Cursor> extends PullSourceOptions {
  /** The address, or the address for a cursor (undefined at first), for endpoints that are read page by page. */
  readonly url: string | ((cursor: Cursor | undefined) => string);
  /** The events of an answer. @param previous the cursor of the last answer. What it throws is tried again, later. */
  readonly read: (
    response: PollResponse,
    previous: Cursor | undefined,
  ) => PollAnswer<T, Cursor> | Promise<PollAnswer<T, Cursor>>;
  readonly headers?: Readonly<Record<string, EnvText>>;
  /** Milliseconds or words; "20 seconds" by default. */
  readonly timeout?: number | string;
  /** A body that is larger is refused; 1,000,000 by default, 16,000,000 at most. */
  readonly maxBytes?: number;
}

export interface PollResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** The body, read as UTF-8. */
  readonly text: string;
  /** @throws SyntaxError when the body is not JSON. */
  json(): unknown;
}

export interface PollAnswer<T, Cursor> {
  /** At most 10,000, or `limit`. */
  readonly events: readonly PulledEvent<T>[];
  /** JSON. Without it the last one stays. */
  readonly cursor?: Cursor;
  /** There is more now: ask again at once. */
  readonly more?: boolean;
}

/**
 * Any answer but 2xx and 304 is an error, as are timeouts and too large bodies: it is tried again with backoff, and not
 * before what `Retry-After` says (up to an hour). Redirects are followed.
 *
 * @throws PlanError when an option is out of its range.
 */
export function poll<T, Cursor = unknown>(
  name: string,
  options: PollOptions<T, Cursor>,
): PollSource<T, Cursor> {
  return new PollSource(name, options);
}

interface Offset<Cursor> {
  readonly cursor?: Cursor;
  /** What the endpoint said of the version that was read last, and of which address. */
  readonly seen?: { readonly url: string; readonly etag?: string; readonly modified?: string };
}

export class PollSource<T, Cursor> extends PullSource<T, Offset<Cursor>> {
  readonly #options: PollOptions<T, Cursor>;
  readonly #timeoutMs: number;
  readonly #maxBytes: number;

  constructor(name: string, options: PollOptions<T, Cursor>) {
    const { limit = 10_000, every = "1 minute", url, timeout, maxBytes } = options;
    super(name, { limit, every });
    this.#options = options;
    this.#timeoutMs = span(`source ${name}`, "timeout", timeout, 20_000);
    const bytes = { least: 1, most: 16_000_000, otherwise: 1_000_000 };
    this.#maxBytes = whole(`source ${name}`, "maxBytes", maxBytes, bytes);
    if (typeof url === "string") checkUrl(`source ${name}`, url);
  }

  override get signature(): string {
    return "poll@1";
  }

  async getEvents({
    offset = {},
    now,
    env,
  }: PullRequest<Offset<Cursor>>): Promise<Pulled<T, Offset<Cursor>>> {
    const { url: place, headers = {} } = this.#options;
    const owner = `source ${this.name}`;
    const url = typeof place === "string" ? place : place(offset.cursor);
    const response = await send(owner, {
      url,
      method: "GET",
      headers: { ...conditionsOf(offset, url), ...headersOf(owner, headers, env) },
      timeoutMs: this.#timeoutMs,
      redirect: "follow",
    });
    if (response.status === 304) {
      await response.body?.cancel();
      return { events: [], offset };
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw failureOf(owner, url, response, now);
    }
    const text = await this.#textOf(owner, response);
    const answer = await this.#options.read(responseOf(response, text), offset.cursor);
    const cursor = answer.cursor ?? offset.cursor;
    return {
      events: answer.events,
      offset: { ...(cursor === undefined ? {} : { cursor }), seen: seenOf(response, url) },
      // Without news or another page, to ask at once would be to ask for ever.
      ...(answer.more === true && (answer.events.length > 0 || answer.cursor !== undefined)
        ? { next: now }
        : {}),
    };
  }

  async #textOf(owner: string, response: Response): Promise<string> {
    let text: string | undefined;
    try {
      text = await readText(response, this.#maxBytes);
    } catch (error) {
      throw new Error(`${owner}: the answer broke off: ${messageOf(error)}`, { cause: error });
    }
    if (text !== undefined) return text;
    throw new Error(`${owner}: the answer is over ${this.#maxBytes} bytes; ask for less, or raise maxBytes`);
  }
}

function responseOf({ status, headers }: Response, text: string): PollResponse {
  return { status, headers, text, json: () => JSON.parse(text) as unknown };
}

/** What an endpoint said of one address says nothing of another. */
function conditionsOf({ seen }: Offset<unknown>, url: string): Record<string, string> {
  if (seen?.url !== url) return {};
  return {
    ...(seen.etag === undefined ? {} : { "if-none-match": seen.etag }),
    ...(seen.modified === undefined ? {} : { "if-modified-since": seen.modified }),
  };
}

function seenOf({ headers }: Response, url: string): NonNullable<Offset<unknown>["seen"]> {
  const etag = headers.get("etag");
  const modified = headers.get("last-modified");
  return { url, ...(etag === null ? {} : { etag }), ...(modified === null ? {} : { modified }) };
}
