/** CrashingStore: a StateStore whose process dies at a chosen write, before it or right after its transaction. */
import type { DeadLetterRow, LogRow, PageInfo, PageSpace, StateStore } from "../../src/state/store.ts";

export class Crash extends Error {}

export class CrashingStore implements StateStore {
  /** Writes that still succeed before the crash; undefined when none is planned. */
  writesLeft: number | undefined;
  /** Transactions that still succeed; the crash comes right after the last of them has become durable. */
  transactionsLeft: number | undefined;
  writes = 0;
  #depth = 0;

  readonly inner: StateStore;

  constructor(inner: StateStore) {
    this.inner = inner;
  }

  /** No crash is planned any more. */
  calm(): void {
    this.writesLeft = undefined;
    this.transactionsLeft = undefined;
  }

  get rowsWritten(): number {
    return this.inner.rowsWritten;
  }

  get rowsRead(): number {
    return this.inner.rowsRead;
  }

  transaction<T>(work: () => T): T {
    this.#depth++;
    let result: T;
    try {
      result = this.inner.transaction(work);
    } finally {
      this.#depth--;
    }
    if (this.#depth === 0 && this.transactionsLeft !== undefined && --this.transactionsLeft <= 0) {
      this.calm();
      throw new Crash("after a transaction");
    }
    return result;
  }

  readLog(lsn: number): LogRow[] {
    return this.inner.readLog(lsn);
  }

  writeLog(row: LogRow): void {
    this.#write();
    this.inner.writeLog(row);
  }

  scrubLog(lsn: number): number {
    this.#write();
    return this.inner.scrubLog(lsn);
  }

  listPages(space: PageSpace): PageInfo[] {
    return this.inner.listPages(space);
  }

  readPage(id: number): Uint8Array | undefined {
    return this.inner.readPage(id);
  }

  writePage(page: PageInfo, data: Uint8Array): void {
    this.#write();
    this.inner.writePage(page, data);
  }

  deletePage(id: number): void {
    this.#write();
    this.inner.deletePage(id);
  }

  readValues(id: number): Uint8Array | undefined {
    return this.inner.readValues(id);
  }

  writeValues(id: number, data: Uint8Array): void {
    this.#write();
    this.inner.writeValues(id, data);
  }

  readMeta(name: string): Uint8Array | undefined {
    return this.inner.readMeta(name);
  }

  writeMeta(name: string, data: Uint8Array): void {
    this.#write();
    this.inner.writeMeta(name, data);
  }

  listDeadLetters(after: number, limit: number): DeadLetterRow[] {
    return this.inner.listDeadLetters(after, limit);
  }

  writeDeadLetter(row: DeadLetterRow): void {
    this.#write();
    this.inner.writeDeadLetter(row);
  }

  deleteDeadLetter(number: number): void {
    this.#write();
    this.inner.deleteDeadLetter(number);
  }

  #write(): void {
    this.writes++;
    if (this.writesLeft === undefined) return;
    if (this.writesLeft-- > 0) return;
    this.calm();
    throw new Crash("at a write");
  }
}
