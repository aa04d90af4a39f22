/**
 * Journal: what a send has done so far, on disk, so that it survives being killed at any point. One file per
 * destination and set of input files; one JSON record a line, only ever appended.
 *
 * Only the first line, the producer's identity, must never be lost, since the server recognises a repeated request by
 * it: it is on the disk before the first request leaves. Every other record merely saves work. If one is lost or torn,
 * its request is cut again from the same bytes and sent again under the same number, and the server counts it once.
 */
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import path from "node:path";
import type { Batch } from "./batches.ts";
import { reasonOf, SendError } from "./failure.ts";
import { checkSame, fingerprint, type Header, type Identity, nameOf, VERSION } from "./identity.ts";
import { type Entry, emptyPast, load, type Past, type Receipt } from "./past.ts";

/** What to do with an unfinished send: go on if there is one, fail if there is none, forget it. */
export type Resume = "auto" | "must" | "never";

export class Journal {
  readonly producer: string;
  /** True when an earlier run's journal was found. */
  readonly resumed: boolean;
  readonly past: Past;
  readonly #file: string | undefined;
  #descriptor: number | undefined;

  private constructor(producer: string, resumed: boolean, past: Past, file?: string) {
    this.producer = producer;
    this.resumed = resumed;
    this.past = past;
    this.#file = file;
    this.#descriptor = file === undefined ? undefined : fs.openSync(file, "a");
  }

  /** For input that cannot be read twice: an identity for this run, kept nowhere. */
  static inMemory(): Journal {
    return new Journal(randomUUID(), false, emptyPast());
  }

  /**
   * Finds the journal of an unfinished send or begins one. Throws a `SendError` when there is nothing to resume and
   * `resume` is "must", and when what is there belongs to other bytes, settings or key.
   */
  static async open(folder: string, identity: Identity, resume: Resume): Promise<Journal> {
    const file = path.join(folder, `${nameOf(identity)}.ndjson`);
    try {
      if (resume === "never") fs.rmSync(file, { force: true });
      if (!fs.existsSync(file)) {
        if (resume === "must")
          throw new SendError("There is nothing to resume: no unfinished send of this input.");
        const producer = begin(file, identity);
        return new Journal(producer, false, emptyPast(), file);
      }
      const { header, past } = await load(file);
      checkSame(header, identity);
      const journal = new Journal(header.producer, true, past, file);
      // A torn last line ends here, so that the next record has a line of its own.
      journal.#write("\n");
      return journal;
    } catch (thrown) {
      if (thrown instanceof SendError) throw thrown;
      throw new SendError(
        `The journal ${file} cannot be used: ${reasonOf(thrown)}. Choose another with --journal.`,
      );
    }
  }

  get canResume(): boolean {
    return this.#file !== undefined;
  }

  /** Before request `sequence` is sent for the first time. */
  cut(sequence: number, batch: Batch): void {
    const { from, to, events, hash, rejected, rejects } = batch;
    this.#append({ cut: sequence, from, to, events, hash, rejected, rejects });
  }

  answered(sequence: number, receipt: Receipt): void {
    this.#append({ answered: sequence, ...receipt });
  }

  applied(sequence: number): void {
    this.#append({ applied: sequence });
  }

  /** Everything is applied: the next send of the same input is a new one. */
  finish(): void {
    this.close();
    if (this.#file === undefined) return;
    fs.rmSync(this.#file, { force: true });
    syncFolder(path.dirname(this.#file));
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #append(entry: Entry): void {
    this.#write(`${JSON.stringify(entry)}\n`);
  }

  /** One write a record and no fsync: a killed process loses none of them, a power cut may (see above). */
  #write(text: string): void {
    if (this.#descriptor === undefined) return;
    try {
      fs.writeSync(this.#descriptor, text);
    } catch (thrown) {
      throw new SendError(`The journal ${this.#file} cannot be written: ${reasonOf(thrown)}.`);
    }
  }
}

/** Under its name the file exists only with its whole first line on the disk. */
function begin(file: string, identity: Identity): string {
  const producer = randomUUID();
  const { endpoint, inputs, settings } = identity;
  const key = fingerprint(identity.key, producer);
  const header: Header = {
    version: VERSION,
    producer,
    created: new Date().toISOString(),
    endpoint,
    key,
    inputs,
    settings,
  };
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${producer}`;
  const descriptor = fs.openSync(draft, "w", 0o600);
  try {
    fs.writeSync(descriptor, `${JSON.stringify(header)}\n`);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(draft, file);
  syncFolder(path.dirname(file));
  return producer;
}

/** Makes a rename or a delete last. Some systems cannot sync a folder; there the rename has to be trusted. */
function syncFolder(folder: string): void {
  try {
    const descriptor = fs.openSync(folder, "r");
    fs.fsyncSync(descriptor);
    fs.closeSync(descriptor);
  } catch {}
}
