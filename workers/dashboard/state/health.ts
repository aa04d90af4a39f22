/** Health: how the deployment is, pushed by the server and shared by the whole page, and the rates that follow from it. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { LiveStatus } from "../api/live.ts";
import { LiveSocket } from "../api/live.ts";
import type { Health } from "../api/types.ts";
import { framed } from "./frame.ts";
import type { Rates, Sample } from "./rates.ts";
import { ratesOf, remember, sampleOf } from "./rates.ts";
import { Shared } from "./shared.ts";

export type { Rates } from "./rates.ts";

export interface HealthState {
  readonly health?: Health;
  readonly previous?: Health;
  readonly status: LiveStatus;
  readonly problem?: string;
  readonly rates: Rates;
}

const PATH = "/v1/health";
/** How often the rates are reckoned again while no health comes. */
const TICK_MS = 1_000;

const BEGINNING: HealthState = { status: "connecting", rates: ratesOf([], 0) };

class LiveHealth {
  readonly state = signal(BEGINNING);
  #next: HealthState = BEGINNING;
  #samples: readonly Sample[] = [];
  /** How far the server's clock is ahead of this device's, at most, ms. */
  #ahead = 0;
  #socket: LiveSocket | undefined;
  #tick: ReturnType<typeof setInterval> | undefined;
  readonly #show = framed(() => {
    this.state.value = this.#next;
  });

  open(): void {
    if (this.#socket !== undefined) return;
    this.#socket = new LiveSocket(`${PATH}/live`, PATH, {
      message: (data) => {
        const message = data as { type?: unknown; health?: Health } | undefined;
        if (message?.type === "health" && message.health !== undefined) this.#take(message.health);
      },
      status: (status, problem) => {
        const { problem: _, ...before } = this.#next;
        this.#next = { ...before, status, ...(problem === undefined ? {} : { problem }) };
        this.#show();
      },
      answered: (health) => this.#take(health as Health),
    });
    this.#tick = setInterval(() => {
      if (this.#next.rates.total > 0 && this.#next.status === "live") this.#reckon();
    }, TICK_MS);
  }

  close(): void {
    clearInterval(this.#tick);
    this.#socket?.close();
    this.#socket = undefined;
  }

  #take(health: Health): void {
    const sample = sampleOf(health);
    this.#ahead = sample.at - Date.now();
    this.#samples = remember(this.#samples, sample);
    const { health: previous } = this.#next;
    this.#next = { ...this.#next, health, ...(previous === undefined ? {} : { previous }) };
    this.#reckon();
  }

  #reckon(): void {
    this.#next = { ...this.#next, rates: ratesOf(this.#samples, Date.now() + this.#ahead) };
    this.#show();
  }
}

const shared = new Shared<LiveHealth>();
const NAME = "health";
const make = () => new LiveHealth();

export function useHealth(): HealthState {
  useEffect(() => shared.use(NAME, make), []);
  return shared.get(NAME, make).state.value;
}
