/**
 * FileStore: what the file sink needs of an object store; an R2Bucket binding is one as it stands, MemoryFiles another.
 *
 * What must hold: an object is put, and seen, as a whole or not at all; conditions are checked in the same step; a list
 * is in the order of the keys and holds every object that was there from its first page to its last.
 */

export interface FileStore {
  /** @returns null when `onlyIf` does not hold: nothing was stored then. */
  put(key: string, value: Uint8Array, options?: FilePutOptions): Promise<FileInfo | null>;
  get(key: string): Promise<StoredFile | null>;
  head(key: string): Promise<FileInfo | null>;
  list(options?: FileListOptions): Promise<FileList>;
  /** An object that is not there is deleted already. */
  delete(key: string): Promise<void>;
}

export interface FilePutOptions {
  /** The object that is there has this etag; or, with `etagDoesNotMatch: "*"`, there is none. */
  readonly onlyIf?: { readonly etagMatches?: string; readonly etagDoesNotMatch?: string };
  readonly httpMetadata?: { readonly contentType?: string; readonly contentEncoding?: string };
  readonly customMetadata?: Record<string, string>;
}

export interface FileInfo {
  readonly key: string;
  /** Changes whenever the content does. */
  readonly etag: string;
  readonly size: number;
  readonly customMetadata?: Record<string, string>;
}

export interface StoredFile extends FileInfo {
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface FileListOptions {
  readonly prefix?: string;
  /** From the page before. */
  readonly cursor?: string;
  /** At most, 1,000 by default; a page may hold fewer. */
  readonly limit?: number;
}

export interface FileList {
  readonly objects: readonly FileInfo[];
  /** Whether there are more, behind `cursor`. */
  readonly truncated: boolean;
  readonly cursor?: string;
}

/** @throws Error when there is none; it says how to get one. */
export function fileStoreOf(
  owner: string,
  env: Readonly<Record<string, unknown>>,
  binding: string,
): FileStore {
  const store = env[binding] as Partial<FileStore> | undefined;
  if (typeof store?.put === "function" && typeof store.list === "function") return store as FileStore;
  throw new Error(
    `${owner}: there is no bucket "${binding}" here; run "npm run plan -- --write", or give JobStarter { env: { ${binding}: new MemoryFiles() } }`,
  );
}
