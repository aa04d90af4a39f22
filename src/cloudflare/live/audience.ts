/**
 * Audience: who watches what, by topic. Sockets carry their topic as an attachment, so it is found again after a sleep;
 * while the object is awake it is kept, since with thousands of sockets looking through all of them is not cheap.
 */
import type { Topic } from "./topic.ts";
import { parseTopic } from "./topic.ts";

export interface Watched {
  readonly query: Topic;
  readonly sockets: ReadonlySet<WebSocket>;
}

export class Audience {
  readonly #topics = new Map<string, { readonly query: Topic; readonly sockets: Set<WebSocket> }>();
  #size = 0;

  /** @param sockets those that were there before the sleep. */
  constructor(sockets: Iterable<WebSocket>) {
    for (const socket of sockets) {
      const topic = topicIn(socket);
      if (topic !== undefined && socket.readyState === WebSocket.OPEN) this.#add(socket, topic);
    }
  }

  /** How many watch. */
  get size(): number {
    return this.#size;
  }

  /** What is watched, by its id. It changes as sockets come and go. */
  get topics(): ReadonlyMap<string, Watched> {
    return this.#topics;
  }

  join(socket: WebSocket, topic: string): void {
    socket.serializeAttachment(topic);
    this.#add(socket, topic);
  }

  leave(socket: WebSocket): void {
    const topic = topicIn(socket);
    const watched = topic === undefined ? undefined : this.#topics.get(topic);
    if (topic === undefined || watched?.sockets.delete(socket) !== true) return;
    this.#size--;
    if (watched.sockets.size === 0) this.#topics.delete(topic);
  }

  #add(socket: WebSocket, topic: string): void {
    const watched = this.#topics.get(topic) ?? { query: parseTopic(topic), sockets: new Set() };
    this.#topics.set(topic, watched);
    watched.sockets.add(socket);
    this.#size++;
  }
}

function topicIn(socket: WebSocket): string | undefined {
  return (socket.deserializeAttachment() as string | null) ?? undefined;
}
