/** StateStore: the storage contract of a shard. All of it is synchronous: a commit is one turn. */

/** One part of a commit-log entry in its slot of the ring. */
export interface LogRow {
  readonly slot: number;
  readonly lsn: number;
  readonly part: number;
  readonly parts: number;
  readonly data: Uint8Array;
}

/** What a store keeps pages of, each kind sorted by itself. */
export type PageSpace = "state" | "timers";

/** A page of state: a run of keys in order, as one row. */
export interface PageInfo {
  /** Positive in the space `state`, negative in `timers`: so one table with an integer key holds both. */
  readonly id: number;
  /** No key in this page sorts before it; the first page's is the empty string. */
  readonly first: string;
}

/** A row of the dead-letter table; `data` is JSON. */
export interface DeadLetterRow {
  readonly number: number;
  readonly data: string;
}

/**
 * Obligations: what one call of `transaction` writes becomes durable together or not at all; rows may hold up to
 * MAX_ROW_BYTES; reads see earlier writes.
 */
export interface StateStore {
  /** Runs `work` atomically. When it throws, nothing that it wrote stays. */
  transaction<T>(work: () => T): T;

  /** The rows of the commit log whose LSN is above `lsn`, by LSN, then part. */
  readLog(lsn: number): LogRow[];
  /** Writes a slot over. */
  writeLog(row: LogRow): void;
  /** Empties the rows whose LSN is at most `lsn`: what a checkpoint has must be readable nowhere else. @returns how many held anything. */
  scrubLog(lsn: number): number;

  /** All pages of a space by `first` (JavaScript string order). */
  listPages(space: PageSpace): PageInfo[];
  readPage(id: number): Uint8Array | undefined;
  /** Its values, if any were written beside it, go with what was there before. */
  writePage(page: PageInfo, data: Uint8Array): void;
  /** And its values. */
  deletePage(id: number): void;
  /** What was written beside a page since the page itself was written; undefined when nothing was. */
  readValues(id: number): Uint8Array | undefined;
  /** Values that count instead of those in the page, which must be there: its keys, which are most of it, stay as they are. */
  writeValues(id: number, data: Uint8Array): void;

  readMeta(name: string): Uint8Array | undefined;
  writeMeta(name: string, data: Uint8Array): void;

  /** Dead letters with a number above `after`, by number. */
  listDeadLetters(after: number, limit: number): DeadLetterRow[];
  writeDeadLetter(row: DeadLetterRow): void;
  deleteDeadLetter(number: number): void;

  /** Rows written since the store was opened, as the platform bills them. */
  readonly rowsWritten: number;
  /** Rows read since then; 0 where that is never billed. */
  readonly rowsRead: number;
}

export function spaceOf({ id }: Pick<PageInfo, "id">): PageSpace {
  return id > 0 ? "state" : "timers";
}

/** The platform takes 2 MB a row; what is larger is cut into several. */
export const MAX_ROW_BYTES = 1_900_000;
