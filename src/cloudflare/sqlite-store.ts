/**
 * SqliteStore: a StateStore in a Durable Object's SQLite.
 *
 * Tables have integer primary keys and no index, so that a row written is billed as one. They are made with the first
 * write: to look at a shard that was never used costs nothing.
 */
import type { DeadLetterRow, LogRow, PageInfo, PageSpace, StateStore } from "../state/store.ts";
import { MAX_ROW_BYTES } from "../state/store.ts";

const TABLES = [
  "CREATE TABLE IF NOT EXISTS log (slot INTEGER PRIMARY KEY, lsn INTEGER NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, data BLOB NOT NULL)",
  "CREATE TABLE IF NOT EXISTS page (id INTEGER PRIMARY KEY, first TEXT NOT NULL, data BLOB NOT NULL)",
  "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS dead_letter (number INTEGER PRIMARY KEY, data TEXT NOT NULL)",
];

/** Younger than the others: made when it is first needed, also where they are there. */
const VALUES_TABLE = "CREATE TABLE IF NOT EXISTS page_values (id INTEGER PRIMARY KEY, data BLOB NOT NULL)";

type Value = ArrayBuffer | string | number | null;

export class SqliteStore implements StateStore {
  readonly #storage: DurableObjectStorage;
  #ready = false;
  /** Whether there is a table for values beside pages. */
  #valued = false;
  #rowsWritten = 0;
  #rowsRead = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#lookForTables();
  }

  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  get rowsRead(): number {
    return this.#rowsRead;
  }

  transaction<T>(work: () => T): T {
    try {
      return this.#storage.transactionSync(work);
    } catch (error) {
      // The tables may have been made in it, and are gone with it.
      this.#lookForTables();
      throw error;
    }
  }

  readLog(lsn: number): LogRow[] {
    return this.#read(
      "SELECT slot, lsn, part, parts, data FROM log WHERE lsn > ? ORDER BY lsn, part",
      lsn,
    ).map((row) => ({
      slot: row.slot as number,
      lsn: row.lsn as number,
      part: row.part as number,
      parts: row.parts as number,
      data: new Uint8Array(row.data as ArrayBuffer),
    }));
  }

  writeLog(row: LogRow): void {
    this.#write(
      "INSERT INTO log (slot, lsn, part, parts, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (slot) DO UPDATE SET lsn = excluded.lsn, part = excluded.part, parts = excluded.parts, data = excluded.data",
      row.slot,
      row.lsn,
      row.part,
      row.parts,
      blob(row.data),
    );
  }

  scrubLog(lsn: number): number {
    return this.#delete("UPDATE log SET data = x'' WHERE lsn <= ? AND length(data) > 0", lsn);
  }

  listPages(space: PageSpace): PageInfo[] {
    // `first` is kept as JSON, which can hold what SQLite's text cannot, and is sorted here, in JavaScript's order.
    return this.#read(`SELECT id, first FROM page WHERE id ${space === "state" ? ">" : "<"} 0`)
      .map((row) => ({ id: row.id as number, first: JSON.parse(row.first as string) as string }))
      .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  }

  readPage(id: number): Uint8Array | undefined {
    return bytes(this.#read("SELECT data FROM page WHERE id = ?", id)[0]);
  }

  writePage(page: PageInfo, data: Uint8Array): void {
    this.#write(
      "INSERT INTO page (id, first, data) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET first = excluded.first, data = excluded.data",
      page.id,
      JSON.stringify(page.first),
      blob(data),
    );
    this.#deleteValues(page.id);
  }

  deletePage(id: number): void {
    this.#delete("DELETE FROM page WHERE id = ?", id);
    this.#deleteValues(id);
  }

  readValues(id: number): Uint8Array | undefined {
    return this.#valued ? bytes(this.#read("SELECT data FROM page_values WHERE id = ?", id)[0]) : undefined;
  }

  writeValues(id: number, data: Uint8Array): void {
    if (!this.#valued) {
      this.#write(VALUES_TABLE);
      this.#valued = true;
    }
    this.#write(
      "INSERT INTO page_values (id, data) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data",
      id,
      blob(data),
    );
  }

  readMeta(name: string): Uint8Array | undefined {
    return bytes(this.#read("SELECT data FROM meta WHERE name = ?", name)[0]);
  }

  writeMeta(name: string, data: Uint8Array): void {
    this.#write(
      "INSERT INTO meta (name, data) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data",
      name,
      blob(data),
    );
  }

  listDeadLetters(after: number, limit: number): DeadLetterRow[] {
    return this.#read(
      "SELECT number, data FROM dead_letter WHERE number > ? ORDER BY number LIMIT ?",
      after,
      limit,
    ).map((row) => ({ number: row.number as number, data: row.data as string }));
  }

  writeDeadLetter(row: DeadLetterRow): void {
    this.#write(
      "INSERT INTO dead_letter (number, data) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET data = excluded.data",
      row.number,
      row.data,
    );
  }

  deleteDeadLetter(number: number): void {
    this.#delete("DELETE FROM dead_letter WHERE number = ?", number);
  }

  /** Where nothing is there is nothing to be taken out. @returns rows. */
  #delete(query: string, value: Value): number {
    return this.#ready ? this.#execute(query, value) : 0;
  }

  #deleteValues(id: number): void {
    if (this.#valued) this.#delete("DELETE FROM page_values WHERE id = ?", id);
  }

  #lookForTables(): void {
    const tables = this.#all("SELECT name FROM sqlite_master WHERE name IN ('dead_letter', 'page_values')");
    this.#ready = tables.some(({ name }) => name === "dead_letter");
    this.#valued = tables.some(({ name }) => name === "page_values");
  }

  #read(query: string, ...values: Value[]): Record<string, SqlStorageValue>[] {
    return this.#ready ? this.#all(query, ...values) : [];
  }

  #all(query: string, ...values: Value[]): Record<string, SqlStorageValue>[] {
    const cursor = this.#storage.sql.exec(query, ...values);
    const rows = cursor.toArray();
    // Known when all is consumed.
    this.#rowsRead += cursor.rowsRead;
    return rows;
  }

  /** @returns rows. */
  #write(query: string, ...values: Value[]): number {
    if (!this.#ready) {
      for (const table of TABLES) this.#execute(table);
      this.#ready = true;
    }
    return this.#execute(query, ...values);
  }

  /** @returns rows written. */
  #execute(query: string, ...values: Value[]): number {
    const { rowsWritten, rowsRead } = this.#storage.sql.exec(query, ...values);
    this.#rowsWritten += rowsWritten;
    this.#rowsRead += rowsRead;
    return rowsWritten;
  }
}

/** SQL takes a buffer of its own; the platform's limit on its size is not enforced locally, so it is here. */
function blob(data: Uint8Array): ArrayBuffer {
  if (data.length > MAX_ROW_BYTES)
    throw new RangeError(`a row of ${data.length} bytes; the limit is ${MAX_ROW_BYTES}`);
  const { buffer } = data;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === data.length) return buffer;
  return data.slice().buffer as ArrayBuffer;
}

function bytes(row: Record<string, SqlStorageValue> | undefined): Uint8Array | undefined {
  return row === undefined ? undefined : new Uint8Array(row.data as ArrayBuffer);
}
