/**
 * eraseKey: removes the events of a key from a file sink's files: a user's right to be forgotten.
 *
 * ```ts
 * let cursor: string | undefined;
 * do ({ cursor } = await eraseKey(env.FILES, "click-log", "user-17", { cursor })); while (cursor !== undefined);
 * ```
 *
 * A file is rewritten in one step, and only if it is still what was read; one that loses all its events stays, empty, so
 * that a batch that is written again late does not bring them back. So it can be interrupted anywhere and begun again,
 * and run twice at a time; what is done stays done.
 *
 * It sees what is in files. An event that still waits in the sink's shards is written after it: erase again then.
 */
import { decodeFile, encodeFile, FILE_TYPE, isGzip } from "./file-format.ts";
import type { FileInfo, FileStore, StoredFile } from "./file-store.ts";

export interface EraseOptions {
  /** From the report before, to go on behind it. */
  readonly cursor?: string | undefined;
  /** Files that one call looks at, at most 1,000; as many by default. Each is a read, and a write if it holds the key. */
  readonly limit?: number;
}

export interface EraseReport {
  /** Files looked at, rewritten, and the events that were removed from them. */
  readonly objects: number;
  readonly rewritten: number;
  readonly events: number;
  /** Where the next call goes on; absent when all files were looked at. */
  readonly cursor?: string;
}

/**
 * Removes all events whose key (that of the `keyBy` in front of the sink) is `key`, from one page of files.
 *
 * @throws what the store throws, and Error when a file keeps changing under it: call it again.
 */
export async function eraseKey(
  store: FileStore,
  sink: string,
  key: string,
  { cursor, limit = 1000 }: EraseOptions = {},
): Promise<EraseReport> {
  const page = await store.list({ prefix: `${sink}/`, limit, ...(cursor === undefined ? {} : { cursor }) });
  let rewritten = 0;
  let events = 0;
  for (const object of page.objects) {
    const erased = await eraseIn(store, object, key);
    events += erased;
    if (erased > 0) rewritten++;
  }
  const more = page.truncated && page.cursor !== undefined ? { cursor: page.cursor } : {};
  return { objects: page.objects.length, rewritten, events, ...more };
}

/** Somebody else rewrites a file at most once for each key that is being erased. */
const TRIES = 5;

/** @returns how many events it removed. */
async function eraseIn(store: FileStore, object: FileInfo, key: string): Promise<number> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const file = await store.get(object.key);
    if (file === null) return 0;
    const content = await file.arrayBuffer();
    const events = await decodeFile(content);
    const kept = events.filter((event) => event.key !== key);
    if (kept.length === events.length) return 0;
    const compress = isGzip(content);
    const rewritten = await store.put(object.key, await encodeFile(kept, compress), {
      onlyIf: { etagMatches: file.etag },
      httpMetadata: { contentType: FILE_TYPE, ...(compress ? { contentEncoding: "gzip" } : {}) },
      customMetadata: metadataOf(file, kept.length),
    });
    if (rewritten !== null) return events.length - kept.length;
  }
  throw new Error(`${object.key} changed ${TRIES} times while it was rewritten; erase again`);
}

/** What the sink knows its batch by stays. */
function metadataOf({ customMetadata = {} }: StoredFile, events: number): Record<string, string> {
  return { ...customMetadata, events: String(events) };
}
