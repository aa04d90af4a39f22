/**
 * Feeder: sends lines to the ingest Worker in small batches, each counted exactly once, and waits until they are applied.
 *
 * It is a producer of its own: a batch keeps its number and its bytes however often it is sent, so it may be sent again
 * whenever its fate is unknown, and also when it was accepted and then lost with a queue that is kept in memory.
 */
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Client } from "../send/client.ts";
import { reasonOf } from "../send/failure.ts";
import { recordOf } from "./lineage.ts";
import { type Batch, Tickets } from "./tickets.ts";

export interface FeederOptions {
  /** Without a slash at its end. */
  readonly server: string;
  readonly source: string;
  readonly onAccepted: (lines: readonly string[]) => void;
  readonly onRejected: (line: string, error: string) => void;
  /** The views hold them now. */
  readonly onApplied: (lines: readonly string[]) => void;
  /** Something that repeats, such as a request that did not get through. */
  readonly onNotice: (text: string) => void;
  /** There is room again after `isFull`. */
  readonly onRelief: () => void;
}

const COALESCE_MS = 15;
const BATCH = { lines: 500, characters: 32_000 };
const IN_FLIGHT = 3;
const FULL = { lines: 20_000, characters: 4_000_000 };
/** Accepted batches that are waited for; while they are so many, nothing new is sent. */
const MAX_UNAPPLIED = 200;

const compress = promisify(gzip);

export class Feeder {
  readonly #options: FeederOptions;
  readonly #stop = new AbortController();
  readonly #tickets: Tickets;
  #pending: string[] = [];
  #characters = 0;
  #timer: NodeJS.Timeout | undefined;
  #posting = 0;
  #wasFull = false;
  #client: Client;
  #sequence = 0;
  #idle = Promise.withResolvers<void>();

  constructor(options: FeederOptions) {
    this.#options = options;
    const { onApplied, onNotice } = options;
    const onChange = () => this.#changed();
    this.#tickets = new Tickets({ onApplied, onNotice, onChange, signal: this.#stop.signal });
    this.#client = this.#newClient();
  }

  add(line: string): void {
    this.#pending.push(line);
    this.#characters += line.length;
    // The first line of a pause waits a moment for others, so that a paste is one request.
    this.#timer ??= setTimeout(() => this.#pump(), COALESCE_MS);
  }

  /** Whoever has lines should hold them back until `onRelief`. */
  get isFull(): boolean {
    const full = this.#pending.length >= FULL.lines || this.#characters >= FULL.characters;
    this.#wasFull ||= full;
    return full;
  }

  /** Lines that are not answered, or not applied. */
  get unsettled(): number {
    return this.#pending.length + this.#posting + this.#tickets.size;
  }

  /** Waits until all lines are answered and applied. */
  async settle(): Promise<void> {
    while (this.unsettled > 0) await this.#idle.promise;
  }

  /** Gives up on everything. */
  abort(): void {
    clearTimeout(this.#timer);
    this.#stop.abort(new Error("stopped"));
  }

  #pump(): void {
    while (
      this.#pending.length > 0 &&
      this.#posting < IN_FLIGHT &&
      this.#tickets.size < MAX_UNAPPLIED &&
      !this.#stop.signal.aborted
    ) {
      const lines = this.#cut();
      this.#posting++;
      void this.#post(lines).finally(() => {
        this.#posting--;
        this.#changed();
      });
    }
    // While there is a timer, lines are only kept: what is left now goes on with the next answer.
    if (this.#pending.length === 0) this.#timer = undefined;
    if (this.#wasFull && this.#pending.length < FULL.lines / 2 && this.#characters < FULL.characters / 2) {
      this.#wasFull = false;
      this.#options.onRelief();
    }
  }

  #cut(): string[] {
    let count = 0;
    for (let room = BATCH.characters; count < this.#pending.length && count < BATCH.lines; count++) {
      room -= (this.#pending[count] as string).length;
      if (room < 0 && count > 0) break;
    }
    const lines = this.#pending.splice(0, count);
    for (const line of lines) this.#characters -= line.length;
    return lines;
  }

  /** Never throws. */
  async #post(lines: readonly string[]): Promise<void> {
    try {
      const text = lines.map((line) => JSON.stringify(recordOf(line))).join("\n");
      const body = new Uint8Array(await compress(text));
      const { batch, answer } = await this.#postOnceMore(body);
      const errors = new Map(answer.rejected.map(({ index, error }) => [index, error]));
      lines.forEach((line, i) => {
        const error = errors.get(i);
        if (error !== undefined) this.#options.onRejected(line, error);
      });
      const accepted = lines.filter((_, i) => !errors.has(i));
      if (answer.ticket === undefined || accepted.length === 0) return;
      this.#options.onAccepted(accepted);
      this.#tickets.add({ ...batch, ticket: answer.ticket, accepted });
    } catch (thrown) {
      if (this.#stop.signal.aborted) return;
      for (const line of lines) this.#options.onRejected(line, reasonOf(thrown));
    }
  }

  /** What is refused as a whole is tried once more under a new producer, since its number is now a gap. */
  async #postOnceMore(body: Batch["body"]) {
    const send = async () => {
      const batch: Batch = { body, client: this.#client, sequence: this.#sequence++ };
      return { batch, answer: await batch.client.post(batch.sequence, batch.body, false) };
    };
    try {
      return await send();
    } catch {
      this.#stop.signal.throwIfAborted();
      this.#client = this.#newClient();
      this.#sequence = 0;
      return await send();
    }
  }

  #newClient(): Client {
    const { server, source, onNotice } = this.#options;
    return new Client({
      ...{ server, source, key: undefined, replay: false, patience: Number.POSITIVE_INFINITY },
      producer: randomBytes(16).toString("hex"),
      signal: this.#stop.signal,
      onRetry: (reason) => onNotice(`${reason}; trying again`),
    });
  }

  #changed(): void {
    this.#pump();
    if (this.unsettled > 0) return;
    const { resolve } = this.#idle;
    this.#idle = Promise.withResolvers<void>();
    resolve();
  }
}
