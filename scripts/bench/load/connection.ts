/** Connection: the least HTTP/1.1 client that can measure a server: one socket, one request at a time, kept alive. */
import { connect, type Socket } from "node:net";
import type { Address } from "./protocol.ts";

export interface Answer {
  readonly status: number;
  /** Seconds after which to try again, for a 429. */
  readonly retryAfter: number;
  /** Empty for a 202, which nobody looks into. */
  readonly body: string;
}

const HEAD_END = Buffer.from("\r\n\r\n");

export class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  /** Bytes of the whole answer, once its head was read. */
  #length = 0;
  #headLength = 0;
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  static open({ host, port }: Address): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, () => resolve(new Connection(socket)));
      socket.once("error", reject);
    });
  }

  /** Sends a request, head and body in one buffer, and reads its whole answer. */
  send(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    if (this.#length === 0) {
      const end = this.#received.indexOf(HEAD_END);
      if (end === -1) return;
      const head = this.#received.toString("latin1", 0, end).toLowerCase();
      const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
      if (length === undefined && !/^http\/1\.1 204/.test(head)) {
        this.#fail(new Error(`an answer without a length: ${head}`));
        return;
      }
      this.#headLength = end + HEAD_END.length;
      this.#length = this.#headLength + Number(length ?? 0);
    }
    if (this.#received.length < this.#length) return;
    const status = Number(this.#received.toString("latin1", 9, 12));
    const retry =
      status === 429
        ? /\r\nretry-after: *(\d+)/i.exec(this.#received.toString("latin1", 0, this.#headLength))
        : null;
    // A body is short here, and mostly not looked at.
    const body = status === 202 ? "" : this.#received.toString("utf8", this.#headLength, this.#length);
    this.#received = Buffer.alloc(0);
    this.#length = 0;
    const { resolve } = this.#waiting ?? {};
    this.#waiting = undefined;
    resolve?.({ status, retryAfter: Number(retry?.[1] ?? 1), body });
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
