/**
 * Live: a WebSocket that comes back: after a break it connects again, and whoever listens gets a snapshot first.
 *
 * A break shows in one of three ways: the socket closes, the browser says that it is offline, or a ping has no answer.
 */
import { key } from "../state/keys.ts";
import { backoff } from "./backoff.ts";
import { ApiProblem, apiUrl, getJson, sentenceOf } from "./client.ts";

export type LiveStatus = "connecting" | "live" | "offline" | "refused";

export interface LiveListener {
  /** Any message but the answers to pings. */
  message(data: unknown): void;
  status(status: LiveStatus, problem?: string): void;
  /** What the address without a socket has answered, when there was no socket but an answer. */
  answered?(answer: unknown): void;
}

const PING_EVERY_MS = 25_000;
const PONG_WITHIN_MS = 10_000;
/** Whoever was refused looks again this often: keys may be set, and a view may come with the next deploy. */
const REFUSED_RETRY_MS = 30_000;

export class LiveSocket {
  readonly #path: string;
  readonly #probe: string;
  readonly #listener: LiveListener;
  readonly #stop = new AbortController();
  #socket: WebSocket | undefined;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  /** @param probe an address without a socket, which says why when the socket is refused: a WebSocket itself does not. */
  constructor(path: string, probe: string, listener: LiveListener) {
    this.#path = path;
    this.#probe = probe;
    this.#listener = listener;
    const { signal } = this.#stop;
    addEventListener("online", () => this.#hurry(), { signal });
    addEventListener("offline", () => this.#check(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry(), { signal });
    const ping = setInterval(() => document.hidden || this.#check(), PING_EVERY_MS);
    let first = true;
    const unfollow = key.subscribe(() => {
      if (!first) this.#reconnect();
      first = false;
    });
    signal.addEventListener("abort", () => {
      clearInterval(ping);
      unfollow();
    });
    this.#connect();
  }

  close(): void {
    this.#stop.abort();
    this.#drop();
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#listener.status(navigator.onLine ? "connecting" : "offline");
    const url = new URL(apiUrl(this.#path));
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#listener.status("live");
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      // Only now: a server that takes sockets and drops them at once is not to be asked without a pause.
      this.#attempt = 0;
      clearTimeout(this.#deadline);
      this.#deadline = undefined;
      if (typeof data === "string" && data !== "pong") this.#listener.message(parsed(data));
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#drop();
      if (opened) this.#again();
      else void this.#explain();
    };
  }

  /** Learns by a plain request why the socket was refused, and tries again later. */
  async #explain(): Promise<void> {
    const { signal } = this.#stop;
    const problem = await getJson(this.#probe, { signal }).then(
      (answer) => this.#listener.answered?.(answer),
      (thrown: unknown) => thrown,
    );
    if (signal.aborted || this.#socket !== undefined || this.#retry !== undefined) return;
    if (problem instanceof ApiProblem && problem.status >= 400 && problem.retryAfter === undefined) {
      this.#listener.status("refused", sentenceOf(problem));
      this.#retry = setTimeout(() => this.#connect(), REFUSED_RETRY_MS);
      return;
    }
    this.#again(problem instanceof ApiProblem ? sentenceOf(problem) : undefined);
  }

  #again(problem?: string): void {
    const unreachable = !navigator.onLine || problem !== undefined;
    this.#listener.status(unreachable ? "offline" : "connecting", problem);
    this.#retry = setTimeout(() => this.#connect(), backoff(this.#attempt++));
  }

  /** Makes sure that the connection is alive: a socket may be dead without having been closed. */
  #check(): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN || this.#deadline !== undefined) return;
    socket.send("ping");
    this.#deadline = setTimeout(() => this.#reconnect(), PONG_WITHIN_MS);
  }

  /** Something has changed for the better: what waits for its next try does it now. */
  #hurry(): void {
    if (this.#socket === undefined) this.#reconnect();
    else this.#check();
  }

  #reconnect(): void {
    this.#attempt = 0;
    this.#drop();
    this.#connect();
  }

  #drop(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#deadline);
    this.#retry = undefined;
    this.#deadline = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}

/** A message that is no JSON is none of this contract's: it is left out. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
