/**
 * BucketFiles: copies what the buckets of a job hold into a folder, as plain files, so that any tool can read them.
 *
 * A bucket has no address of its own: on Cloudflare one reads it with wrangler, locally in this folder. The bucket is
 * what counts; the copy is made anew with each start, and what is changed in it changes nothing else.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LocalBucket } from "../local/runtime.ts";

const EVERY_MS = 1_000;

export class BucketFiles {
  readonly folder: string;
  readonly #buckets: readonly LocalBucket[];
  /** What is copied: file and etag. */
  readonly #copied = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #copying: Promise<void> = Promise.resolve();

  /** @param folder absolute; what is in it is deleted. */
  constructor(folder: string, buckets: readonly LocalBucket[]) {
    this.folder = folder;
    this.#buckets = buckets;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }

  /** Copies what has changed, every second until `stop`. */
  start(): void {
    this.#timer = setTimeout(() => {
      this.#copying = this.copy()
        // The next time may find it better; the bucket loses nothing.
        .catch(() => {})
        .finally(() => this.#timer?.refresh());
    }, EVERY_MS);
  }

  /** Copies for the last time. Never throws. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#copying;
    await this.copy().catch(() => {});
  }

  /** @throws when the Workers do not answer, or the disk takes nothing more. */
  async copy(): Promise<void> {
    const there = new Set<string>();
    for (const bucket of this.#buckets) {
      for (const { key, etag } of await bucket.list()) {
        const file = path.join(this.folder, key);
        // A name that leads out of the folder, or is one: such a file is in the bucket only.
        if (!file.startsWith(`${this.folder}${path.sep}`) || key.endsWith("/")) continue;
        there.add(file);
        if (this.#copied.get(file) === etag) continue;
        const content = await bucket.read(key);
        if (content === undefined) continue;
        write(file, content);
        this.#copied.set(file, etag);
      }
    }
    for (const file of this.#copied.keys()) {
      if (there.has(file)) continue;
      rmSync(file, { force: true });
      this.#copied.delete(file);
    }
  }
}

/** Whoever reads the folder meanwhile sees whole files. */
function write(file: string, content: Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const unfinished = path.join(path.dirname(file), `.${path.basename(file)}.part`);
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}
