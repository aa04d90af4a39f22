/** A server that keeps the ingest and ticket contract, with a queue in memory, and faults that a test switches on. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

/** Probabilities of each fault, per request. */
export interface Faults {
  /** Takes the request and drops the connection instead of answering. */
  loseAnswer: number;
  /** Drops the connection before anything is taken. */
  drop: number;
  /** 429 with `Retry-After: 1`. */
  tooMany: number;
  /** 503 with `Retry-After: 0`, of which half have taken the request. */
  unavailable: number;
}

interface Segment {
  readonly identity: string;
  readonly urls: readonly string[];
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** Inflated. */
  readonly body: string;
}

export class FakeServer {
  /** What a view would say: applied events by URL, each (producer, sequence) once. */
  readonly views = new Map<string, number>();
  readonly seen: Seen[] = [];
  /** What no client may do: two bodies under one identity, or a jump. */
  readonly violations: string[] = [];
  faults: Faults = { loseAnswer: 0, drop: 0, tooMany: 0, unavailable: 0 };
  /** Answers instead of the contract, when it returns true. */
  override: ((seen: Seen, response: ServerResponse) => boolean) | undefined;
  /** Milliseconds that each answer takes. */
  delay = 0;
  /** Whether the queue is consumed. */
  consumes = true;
  readonly #applied = new Set<string>();
  readonly #bodies = new Map<string, string>();
  /** By producer: the contiguous prefix of applied sequences. */
  readonly #prefixes = new Map<string, number>();
  readonly #random: () => number;
  readonly #consumer: NodeJS.Timeout;
  #queue: Segment[] = [];
  #server: Server | undefined;
  #port = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
    this.#consumer = setInterval(() => this.#consume(), 10);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get producers(): Set<string> {
    return new Set(this.seen.flatMap(({ headers }) => headers["millrace-producer"] ?? []).map(String));
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.#handle(request, response));
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(this.#port, "127.0.0.1", resolve);
    await promise;
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Forgets its queue, is away for a while, and comes back at the same port with what it had applied. */
  async crash(milliseconds: number): Promise<void> {
    await this.#shut();
    this.#queue = [];
    await sleep(milliseconds);
    await this.listen();
  }

  async close(): Promise<void> {
    clearInterval(this.#consumer);
    await this.#shut();
  }

  async #shut(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server?.close(() => resolve());
    this.#server?.closeAllConnections();
    await promise;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const raw = Buffer.concat(chunks);
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw).toString() : raw.toString();
    const seen: Seen = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body,
    };
    this.seen.push(seen);
    if (this.delay > 0) await sleep(this.delay);
    if (this.override?.(seen, response)) return;
    if (seen.method === "GET") this.#ticket(seen, response);
    else this.#ingest(seen, response);
  }

  #ticket({ path }: Seen, response: ServerResponse): void {
    const ticket = decodeURIComponent(path.replace("/v1/tickets/", ""));
    const state = this.#applied.has(ticket) ? "applied" : "in-flight";
    reply(response, 200, { ticket, source: "clicks", state, operators: [{ operator: "page-views", state }] });
  }

  #ingest(seen: Seen, response: ServerResponse): void {
    const fault = this.#fault();
    const answer = fault === undefined || fault === "loseAnswer" ? this.#take(seen) : undefined;
    if (fault === "tooMany") reply(response, 429, { detail: "too many" }, { "Retry-After": "1" });
    else if (fault === "unavailable") {
      if (this.#random() < 0.5) this.#take(seen);
      reply(response, 503, { outcome: "unknown" }, { "Retry-After": "0" });
    } else if (fault === undefined && answer) reply(response, answer.status, answer.body);
    else response.destroy();
  }

  #fault(): keyof Faults | undefined {
    let left = this.#random();
    for (const [fault, probability] of Object.entries(this.faults)) {
      left -= probability;
      if (left < 0) return fault as keyof Faults;
    }
    return undefined;
  }

  #take({ headers, body }: Seen): { status: number; body: object } {
    const producer = String(headers["millrace-producer"]);
    const sequence = Number(headers["millrace-sequence"]);
    const identity = `${producer}/${sequence}`;
    if ((this.#bodies.get(identity) ?? body) !== body) this.violations.push(`another body for ${identity}`);
    this.#bodies.set(identity, body);
    if (sequence > (this.#prefixes.get(producer) ?? 0) + 1_000) {
      this.violations.push(`jump to ${identity}`);
      return { status: 409, body: { detail: "The sequence is too far ahead." } };
    }

    const rows = body.split("\n").map((line, index) => ({ index, ...(JSON.parse(line) as { url: string }) }));
    const accepted = rows.filter(({ url }) => !url.startsWith("/bad"));
    const rejected = rows
      .filter(({ url }) => url.startsWith("/bad"))
      .map(({ index }) => ({ index, error: "url: bad" }));
    if (accepted.length === 0) {
      this.#apply({ identity, urls: [] });
      return { status: 400, body: { detail: "nothing could be accepted", rejected } };
    }
    this.#queue.push({ identity, urls: accepted.map(({ url }) => url) });
    return { status: 202, body: { accepted: accepted.length, rejected, ticket: identity } };
  }

  /** A few at a time, in any order. */
  #consume(): void {
    if (!this.consumes) return;
    for (let i = 0; i < 4 && this.#queue.length > 0; i++) {
      const at = Math.floor(this.#random() * Math.min(this.#queue.length, 8));
      for (const segment of this.#queue.splice(at, 1)) this.#apply(segment);
    }
  }

  #apply({ identity, urls }: Segment): void {
    if (this.#applied.has(identity)) return;
    this.#applied.add(identity);
    for (const url of urls) this.views.set(url, (this.views.get(url) ?? 0) + 1);
    const [producer = ""] = identity.split("/");
    let prefix = this.#prefixes.get(producer) ?? 0;
    while (this.#applied.has(`${producer}/${prefix}`)) prefix++;
    this.#prefixes.set(producer, prefix);
  }
}

function reply(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "Content-Type": type, ...headers }).end(JSON.stringify(body));
}
