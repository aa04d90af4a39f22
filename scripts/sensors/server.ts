/** Server: the simulator's HTTP client: posts readings until they are accepted, and reads the job's views. */
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../send/failure.ts";
import type { TimedReading } from "./city.ts";
import { SensorsError } from "./failure.ts";
import type { AlertRow, AverageRow } from "./recount.ts";

export interface WindowRow extends AverageRow {
  readonly final: boolean;
}

/** Who sends a request, and which of its requests it is: so a copy of it counts once. */
export interface Identity {
  readonly producer: string;
  readonly sequence: number;
}

interface Page<Entry> {
  readonly entries: readonly Entry[];
  readonly next?: string;
}

const PATIENCE_MS = 60_000;
const TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 2_000;

export class Server {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  /** Requests that had to be made again. */
  retries = 0;

  /** @param url without a slash at its end. */
  constructor(url: string, key: string | undefined) {
    this.#url = url;
    this.#headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  }

  /** @throws SensorsError when the server does not answer, or runs another job. */
  async check(): Promise<void> {
    const advice = "start it with: npm start -- --job sensors";
    const answer = await this.#get("/v1/views").catch((thrown: unknown) => {
      throw new SensorsError(`${this.#url} does not answer (${reasonOf(thrown)}); ${advice}`);
    });
    const { views } = answer as {
      readonly views: readonly { readonly view?: string; readonly name?: string }[];
    };
    if (!views.some(({ view, name }) => (view ?? name) === "district-averages"))
      throw new SensorsError(`${this.#url} does not run the sensors job; ${advice}`);
  }

  /**
   * Sends readings as one request, again until it is accepted.
   *
   * @throws SensorsError when it is refused, or for a minute nothing accepts it.
   */
  async post(
    readings: readonly TimedReading[],
    identity: Identity,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    const init = {
      method: "POST",
      body: readings.map((reading) => JSON.stringify(reading)).join("\n"),
      headers: {
        ...this.#headers,
        "content-type": "application/x-ndjson",
        "millrace-producer": identity.producer,
        "millrace-sequence": String(identity.sequence),
        ...headers,
      },
    };
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MOST_PAUSE_MS)) {
      const said = await this.#try(init, readings.length);
      if (said === undefined) return;
      if (Date.now() > deadline) throw new SensorsError(`readings were not accepted: ${said}`);
      this.retries++;
      await sleep(pause);
    }
  }

  /** @returns why it is to be sent again; undefined when it is accepted. */
  async #try(init: RequestInit, readings: number): Promise<string | undefined> {
    let status: number;
    let text: string;
    let later: boolean;
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(`${this.#url}/v1/sources/readings`, { ...init, signal });
      status = response.status;
      // With 409: an earlier request of the replay has not come yet.
      later = response.headers.has("retry-after");
      text = await response.text();
    } catch (thrown) {
      return reasonOf(thrown);
    }
    if (status === 202) {
      const { accepted } = JSON.parse(text) as { readonly accepted: number };
      if (accepted !== readings)
        throw new SensorsError(`${readings - accepted} readings were rejected: ${text}`);
      return undefined;
    }
    const said = `${status}: ${text.slice(0, 600)}`;
    if (status === 429 || status >= 500 || (status === 409 && later)) return said;
    throw new SensorsError(`readings were refused, ${said}`);
  }

  /** The averages of the windows that overlap a time, in order. */
  async windows(from: number, to: number): Promise<WindowRow[]> {
    const path = `/v1/views/district-averages?from=${from}&to=${to}`;
    const entries = await this.#pages<{
      readonly key: string;
      readonly window: { readonly start: string; readonly end: string };
      readonly value: Omit<AverageRow, "district" | "start">;
      readonly final: boolean;
    }>(path);
    return entries.map(({ key, window, value, final }) => ({
      ...value,
      district: key,
      start: Date.parse(window.start),
      final,
    }));
  }

  /** The latest alert of each sensor that had one. */
  async alerts(): Promise<AlertRow[]> {
    const entries = await this.#pages<{ readonly value: AlertRow }>("/v1/views/alerts?prefix=");
    return entries.map(({ value }) => value);
  }

  /** How many alerts each sensor has raised, ever. */
  async raised(): Promise<Map<string, number>> {
    const path = "/v1/views/alerts-raised?prefix=";
    const entries = await this.#pages<{ readonly key: string; readonly value: number }>(path);
    return new Map(entries.map(({ key, value }) => [key, value]));
  }

  async #pages<Entry>(path: string): Promise<Entry[]> {
    const entries: Entry[] = [];
    let cursor = "";
    do {
      const page = (await this.#get(`${path}&limit=1000${cursor}`)) as Page<Entry>;
      entries.push(...page.entries);
      cursor = page.next === undefined ? "" : `&cursor=${encodeURIComponent(page.next)}`;
    } while (cursor !== "");
    return entries;
  }

  async #get(path: string): Promise<unknown> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(this.#url + path, { headers: this.#headers, signal });
    const text = await response.text();
    if (!response.ok) throw new SensorsError(`${path} answers ${response.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }
}
