/** MemoryFiles: a FileStore in memory, for runs and tests. */
import type {
  FileInfo,
  FileList,
  FileListOptions,
  FilePutOptions,
  FileStore,
  StoredFile,
} from "./file-store.ts";

interface Kept {
  readonly info: FileInfo & Pick<FilePutOptions, "httpMetadata">;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** Pass it to a run, and read it afterwards: `new JobStarter(job, { env: { FILES: files } })`, `readFiles(files)`. */
export class MemoryFiles implements FileStore {
  readonly #objects = new Map<string, Kept>();
  #puts = 0;

  async put(
    key: string,
    value: Uint8Array,
    { onlyIf = {}, ...metadata }: FilePutOptions = {},
  ): Promise<FileInfo | null> {
    const etag = this.#objects.get(key)?.info.etag;
    const { etagMatches, etagDoesNotMatch } = onlyIf;
    if (etagMatches !== undefined && !matches(etag, etagMatches)) return null;
    if (etagDoesNotMatch !== undefined && matches(etag, etagDoesNotMatch)) return null;
    const info = { key, etag: `${++this.#puts}`, size: value.length, ...metadata };
    this.#objects.set(key, { info, content: new Uint8Array(value) });
    return info;
  }

  async get(key: string): Promise<StoredFile | null> {
    const kept = this.#objects.get(key);
    if (kept === undefined) return null;
    return { ...kept.info, arrayBuffer: async () => kept.content.slice().buffer };
  }

  async head(key: string): Promise<FileInfo | null> {
    return this.#objects.get(key)?.info ?? null;
  }

  async list({ prefix = "", cursor = "", limit = 1000 }: FileListOptions = {}): Promise<FileList> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix) && key > cursor).sort();
    const page = keys.slice(0, limit);
    const last = page.at(-1);
    return {
      objects: page.map((key) => (this.#objects.get(key) as Kept).info),
      ...(last !== undefined && page.length < keys.length
        ? { truncated: true, cursor: last }
        : { truncated: false }),
    };
  }

  async delete(key: string): Promise<void> {
    this.#objects.delete(key);
  }
}

function matches(etag: string | undefined, wanted: string): boolean {
  return etag !== undefined && (wanted === "*" || wanted === etag);
}
