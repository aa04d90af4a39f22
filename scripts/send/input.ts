/** Input: files, `.gz` files and standard input as lines with their positions, streamed in constant memory. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { reasonOf, SendError } from "./failure.ts";

/** A line that is longer is not kept; it becomes a reject. Bytes. */
export const MAX_LINE_BYTES = 262_144;

/** What a regular file was when the send began; a journal is only good for exactly that. */
export interface Stamp {
  /** Absolute. */
  readonly path: string;
  /** Bytes. What is appended later is not sent. */
  readonly size: number;
  readonly mtimeMs: number;
  /** Hash of the first 64 KiB. */
  readonly head: string;
}

export interface Input {
  /** As the user wrote it: `name:line` is how a line is reported. */
  readonly name: string;
  readonly gzip: boolean;
  /** Undefined for a pipe, which cannot be read twice. */
  readonly stamp: Stamp | undefined;
  open(from: number): Readable;
}

/** Where a line begins; `byte` counts inflated bytes, `line` from 1. `file` = number of inputs means the end. */
export interface Position {
  readonly file: number;
  readonly byte: number;
  readonly line: number;
}

export const START: Position = { file: 0, byte: 0, line: 1 };

/** `bytes` is undefined for a line over the limit; otherwise without the line feed, and valid until the next chunk. */
export interface Line extends Position {
  readonly bytes: Buffer | undefined;
}

/** Counts what was read off the disk, for the progress bar. */
export interface Meter {
  bytes: number;
}

/** Opens `-` as standard input and a relative name from `folder`. Throws a `SendError` for what cannot be read. */
export async function openInput(name: string, folder: string): Promise<Input> {
  if (name === "-") return { name: "stdin", gzip: false, stamp: undefined, open: () => process.stdin };
  const file = path.resolve(folder, name);
  const gzip = file.endsWith(".gz");
  try {
    const { size, mtimeMs, ...facts } = await statOf(file);
    if (facts.directory) throw new SendError(`${name} is a folder: name the files in it.`);
    if (!facts.regular) return { name, gzip, stamp: undefined, open: () => createReadStream(file) };
    const stamp: Stamp = { path: file, size, mtimeMs, head: await hashOfHead(file, size) };
    const open = (start: number) => createReadStream(file, { start, end: Math.max(size - 1, 0) });
    return { name, gzip, stamp, open };
  } catch (thrown) {
    if (thrown instanceof SendError) throw thrown;
    const missing = (thrown as NodeJS.ErrnoException).code === "ENOENT";
    throw new SendError(missing ? `${name}: no such file.` : `${name} cannot be read: ${reasonOf(thrown)}.`);
  }
}

async function statOf(file: string) {
  const stats = await stat(file);
  return {
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    directory: stats.isDirectory(),
    regular: stats.isFile(),
  };
}

async function hashOfHead(file: string, size: number): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(size, 65_536)), 0, null, 0);
    return createHash("sha256").update(buffer.subarray(0, bytesRead)).digest("hex").slice(0, 16);
  } finally {
    await handle.close();
  }
}

/** All lines of all inputs in order, from a position on, a chunk at a time. Throws a `SendError` if reading fails. */
export async function* readLines(
  inputs: readonly Input[],
  from: Position,
  meter: Meter,
): AsyncGenerator<readonly Line[]> {
  meter.bytes += inputs.slice(0, from.file).reduce((sum, input) => sum + (input.stamp?.size ?? 0), 0);
  for (const [file, input] of inputs.entries()) {
    if (file < from.file) continue;
    const start = file === from.file ? from : { ...START, file };
    if (input.stamp?.size === 0) continue;
    const splitter = new LineSplitter(start);
    try {
      for await (const chunk of chunksOf(input, start.byte, meter)) {
        const lines = splitter.push(chunk);
        if (lines.length > 0) yield lines;
      }
    } catch (thrown) {
      const what = input.gzip ? "is not a whole gzip file" : "cannot be read";
      throw new SendError(`${input.name} ${what}: ${reasonOf(thrown)}.`);
    }
    const rest = splitter.end();
    if (rest !== undefined) yield [rest];
  }
}

/** Inflated bytes from `from` on. Only a plain file can seek; a gzip file is inflated again and its start dropped. */
async function* chunksOf(input: Input, from: number, meter: Meter): AsyncGenerator<Buffer> {
  const seeks = !input.gzip && input.stamp !== undefined;
  const raw = input.open(seeks ? from : 0);
  if (seeks) meter.bytes += from;
  const before = meter.bytes - (seeks ? from : 0);
  let skip = seeks ? 0 : from;
  try {
    for await (const chunk of input.gzip ? inflate(raw, meter) : raw) {
      if (!input.gzip) meter.bytes += chunk.length;
      if (skip < chunk.length) yield chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.length);
    }
  } finally {
    raw.destroy();
  }
  if (input.stamp !== undefined && meter.bytes - before < input.stamp.size) {
    throw new Error("it became shorter while it was read");
  }
}

function inflate(raw: Readable, meter: Meter): Readable {
  const gunzip = createGunzip();
  raw.on("data", (chunk: Buffer) => {
    meter.bytes += chunk.length;
  });
  // `pipe` does not pass errors on.
  raw.on("error", (error) => gunzip.destroy(error));
  return raw.pipe(gunzip);
}

/** Cuts chunks at line feeds, and keeps at most one line's limit of bytes between two chunks. */
class LineSplitter {
  #next: Position;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(start: Position) {
    this.#next = start;
  }

  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let feed = chunk.indexOf(10); feed !== -1; feed = chunk.indexOf(10, start)) {
      lines.push(this.#line(chunk.subarray(start, feed), 1));
      start = feed + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** The last line, when the input does not end in a line feed. */
  end(): Line | undefined {
    return this.#keptBytes > 0 ? this.#line(Buffer.alloc(0), 0) : undefined;
  }

  #keep(tail: Buffer): void {
    this.#keptBytes += tail.length;
    if (this.#keptBytes > MAX_LINE_BYTES) this.#kept = [];
    else this.#kept.push(tail);
  }

  #line(tail: Buffer, feed: 0 | 1): Line {
    const { file, byte, line } = this.#next;
    const length = this.#keptBytes + tail.length;
    const bytes =
      length > MAX_LINE_BYTES
        ? undefined
        : this.#kept.length === 0
          ? tail
          : Buffer.concat([...this.#kept, tail]);
    this.#kept = [];
    this.#keptBytes = 0;
    this.#next = { file, byte: byte + length + feed, line: line + 1 };
    return { file, byte, line, bytes };
  }
}
