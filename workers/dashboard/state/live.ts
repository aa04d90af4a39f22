/** Live: what a view holds, pushed by the server; one socket for each view and query, however many parts show it. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Held, LiveMessage } from "../api/entries.ts";
import { merge, NOTHING } from "../api/entries.ts";
import type { LiveStatus } from "../api/live.ts";
import { LiveSocket } from "../api/live.ts";
import type { Entry, Total } from "../api/types.ts";
import { framed } from "./frame.ts";
import { Shared } from "./shared.ts";

export { idOf } from "../api/entries.ts";

export interface LiveState {
  readonly entries: readonly Entry[];
  readonly total?: Total;
  readonly status: LiveStatus;
  readonly problem?: string;
  /** Whether anything has come at all: before that, no entries means nothing. */
  readonly loaded: boolean;
  /** When the last snapshot or change came, by this device's clock, ms. */
  readonly changedAt?: number;
  /** Ids, as `idOf` gives them, of the entries that the last change touched. */
  readonly changed: ReadonlySet<string>;
}

export type LiveQuery = Readonly<Record<string, string | number>>;

const BEGINNING: LiveState = { entries: [], changed: new Set(), status: "connecting", loaded: false };

class LiveView {
  readonly state = signal(BEGINNING);
  readonly #view: string;
  readonly #query: LiveQuery;
  readonly #show = framed(() => {
    this.state.value = this.#next;
  });
  #held: Held = NOTHING;
  /** Ids that changed since the last picture: a picture may show several changes at once. */
  #changed: ReadonlySet<string> | undefined;
  #next: LiveState = BEGINNING;
  #socket: LiveSocket | undefined;

  constructor(view: string, query: LiveQuery) {
    this.#view = view;
    this.#query = query;
  }

  open(): void {
    if (this.#socket !== undefined) return;
    const query = new URLSearchParams(Object.entries(this.#query).map(([name, value]) => [name, `${value}`]));
    const address = `/v1/views/${encodeURIComponent(this.#view)}`;
    const suffix = query.size === 0 ? "" : `?${query}`;
    this.#socket = new LiveSocket(`${address}/live${suffix}`, `${address}${suffix}`, {
      message: (data) => this.#message(data as LiveMessage | undefined),
      status: (status, problem) => this.#set({ status }, problem),
    });
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #message(message: LiveMessage | undefined): void {
    if (message?.type === "problem") {
      this.#set({}, message.detail);
      return;
    }
    if (message?.type !== "snapshot" && message?.type !== "change") return;
    this.#held = merge(this.#held, message, "top" in this.#query);
    const pending = this.#next !== this.state.peek() ? this.#changed : undefined;
    const { entries, total, changed } = this.#held;
    this.#changed = pending === undefined ? changed : new Set([...pending, ...changed]);
    this.#set({
      entries,
      ...(total === undefined ? {} : { total }),
      loaded: true,
      changed: this.#changed,
      changedAt: Date.now(),
    });
  }

  /** A problem is over with the next news. */
  #set(news: Partial<LiveState>, problem?: string): void {
    const { problem: _, ...before } = this.#next;
    this.#next = { ...before, ...news, ...(problem === undefined ? {} : { problem }) };
    this.#show();
  }
}

const views = new Shared<LiveView>();

/** The entries of a view as they are now: `query` as at the view's own address. */
export function useLive(view: string, query: LiveQuery): LiveState {
  const sorted = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
  const name = JSON.stringify([view, sorted]);
  const make = () => new LiveView(view, query);
  // The name says all that `make` depends on.
  useEffect(() => views.use(name, make), [name]);
  return views.get(name, make).state.value;
}
