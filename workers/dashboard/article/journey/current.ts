/** The journey that the page shows: of the event that was sent last, by whichever part of the page. */
import type { Signal } from "@preact/signals";
import { signal } from "@preact/signals";
import { ApiProblem, getJson, postJson } from "../../api/client.ts";
import { describe } from "../../api/problem.ts";
import type { Accepted, KeyAnswer, Ticket } from "../../api/types.ts";
import type { Journey } from "./journey.ts";
import { travel } from "./journey.ts";

export const journey: Signal<Journey | undefined> = signal(undefined);
export const travelling: Signal<boolean> = signal(false);

let under: AbortController | undefined;

/** Sends one event and follows it; the one before is no longer followed. Never throws: the journey says what went wrong. */
export async function sendOne(source: string, url: string, views: readonly string[]): Promise<void> {
  under?.abort();
  const controller = new AbortController();
  under = controller;
  const { signal } = controller;
  travelling.value = true;
  try {
    await travel(portsOf(signal), {
      source,
      url,
      views,
      signal,
      onChange: (now) => {
        journey.value = now;
      },
    });
  } catch (thrown) {
    if (!signal.aborted)
      journey.value = { ...(journey.peek() ?? { source, url }), problem: describe(thrown) };
  } finally {
    if (!signal.aborted) travelling.value = false;
  }
}

function portsOf(signal: AbortSignal) {
  return {
    now: () => performance.now(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    accept: async (source: string, url: string) => {
      const path = `/v1/sources/${encodeURIComponent(source)}`;
      return (await postJson<Accepted>(path, url, { "content-type": "text/plain" }, { signal })).body;
    },
    ask: (ticket: string) => getJson<Ticket>(`/v1/tickets/${encodeURIComponent(ticket)}`, { signal }),
    look: async (view: string, key: string) => {
      const query = new URLSearchParams({ key });
      try {
        return await getJson<KeyAnswer>(`/v1/views/${encodeURIComponent(view)}?${query}`, { signal });
      } catch (thrown) {
        if (thrown instanceof ApiProblem && thrown.status === 404) return undefined;
        throw thrown;
      }
    },
  };
}
