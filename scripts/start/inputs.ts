/** Inputs: the terminal and the TCP port, read as lines, no faster than the lines can be taken. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Line, LineSplitter } from "./lines.ts";

export const HOST = "127.0.0.1";

/** What has already arrived at a connection when the server stops is read for so long. */
const GRACE_MS = 100;

/** Takes the lines; `isFull` says that it wants no more for now. */
export interface LineTaker {
  take(line: Line): void;
  readonly isFull: boolean;
}

export class Inputs {
  readonly #taker: LineTaker;
  readonly #streams = new Set<Readable>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #paused = false;
  #stopped = false;

  constructor(taker: LineTaker) {
    this.#taker = taker;
    this.#server = createServer((socket) => this.#connect(socket));
  }

  /** @returns the port. @throws what `listen` throws: the port is taken. */
  async listen(port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen({ port, host: HOST }, resolve);
    await promise;
    this.#server.off("error", reject);
    // Running out of file descriptors fails one connection, not the server.
    this.#server.on("error", () => {});
    return (this.#server.address() as AddressInfo).port;
  }

  /** Its end, or its failure, ends this input and nothing else. @param onEnd called once it has ended. */
  read(stream: Readable, onEnd: () => void = () => {}): void {
    const splitter = new LineSplitter();
    this.#streams.add(stream);
    stream.on("data", (chunk: Buffer) => {
      this.#take(splitter.push(chunk));
    });
    stream.on("end", () => {
      // A line that a stop cut off is not a line.
      if (!this.#stopped) this.#take(splitter.end());
      onEnd();
    });
    // A connection that is reset: what came whole counts, what was cut off does not.
    stream.on("error", () => {});
    stream.on("close", () => this.#streams.delete(stream));
    if (this.#paused) stream.pause();
  }

  /** There is room again. */
  resume(): void {
    this.#paused = false;
    if (!this.#stopped) for (const stream of this.#streams) stream.resume();
  }

  /** Takes nothing new: no connections, no typing; lines that have already arrived are still read. */
  async stop(): Promise<void> {
    this.#server.close();
    await sleep(GRACE_MS);
    this.#stopped = true;
    for (const stream of this.#streams) stream.pause();
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    this.read(socket);
  }

  #take(lines: readonly Line[]): void {
    for (const line of lines) this.#taker.take(line);
    if (this.#paused || !this.#taker.isFull) return;
    this.#paused = true;
    for (const stream of this.#streams) stream.pause();
  }
}
