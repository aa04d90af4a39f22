/** Jobs: the deployment's graphs and views, asked once, and again when the key or the server is another one. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { describe, getJson } from "../api/client.ts";
import type { Jobs, Views } from "../api/types.ts";
import { key } from "./keys.ts";
import { Shared } from "./shared.ts";

export interface JobsState {
  readonly jobs?: Jobs;
  readonly views?: Views;
  readonly problem?: string;
}

const RETRY_MS = 5_000;

class KnownJobs {
  readonly state = signal<JobsState>({});
  #round = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #unfollow: (() => void) | undefined;

  open(): void {
    if (this.#unfollow !== undefined) return;
    this.#unfollow = key.subscribe(() => void this.#load());
    addEventListener("online", this.#again);
  }

  close(): void {
    this.#round++;
    clearTimeout(this.#retry);
    this.#unfollow?.();
    this.#unfollow = undefined;
    removeEventListener("online", this.#again);
  }

  readonly #again = () => void this.#load();

  async #load(): Promise<void> {
    const round = ++this.#round;
    clearTimeout(this.#retry);
    try {
      const [jobs, views] = await Promise.all([getJson<Jobs>("/v1/jobs"), getJson<Views>("/v1/views")]);
      if (round === this.#round) this.state.value = { jobs, views };
    } catch (thrown) {
      if (round !== this.#round) return;
      this.state.value = { ...this.state.peek(), problem: describe(thrown) };
      this.#retry = setTimeout(this.#again, RETRY_MS);
    }
  }
}

const shared = new Shared<KnownJobs>();
const NAME = "jobs";
const make = () => new KnownJobs();

export function useJobs(): JobsState {
  useEffect(() => shared.use(NAME, make), []);
  return shared.get(NAME, make).state.value;
}
