/**
 * readFiles: reads back what file sinks have written.
 *
 * ```ts
 * for await (const event of readFiles<Click>(env.FILES, "click-log/2026/11/")) console.log(event.data.url);
 * ```
 */
import type { Event } from "../event.ts";
import { decodeFile } from "./file-format.ts";
import type { FileInfo, FileStore } from "./file-store.ts";

/**
 * The events of all files under a prefix, in the order of the files' names: by sink, hour and shard, and within a shard
 * as they came to it.
 *
 * @param prefix the sink's name and a slash, and as much of a date behind it as wanted; all sinks by default.
 */
export async function* readFiles<T = unknown>(store: FileStore, prefix = ""): AsyncGenerator<Event<T>> {
  for await (const { key } of listFiles(store, prefix)) {
    const file = await store.get(key);
    if (file !== null) yield* await decodeFile<T>(await file.arrayBuffer());
  }
}

/** All files under a prefix, in the order of their names. */
export async function* listFiles(store: FileStore, prefix = ""): AsyncGenerator<FileInfo> {
  let cursor: string | undefined;
  do {
    const page = await store.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.objects;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}
