/** MemoryStore: a StateStore in memory, for jobs that run without a platform, for tests and simulations. */
import type { DeadLetterRow, LogRow, PageInfo, PageSpace, StateStore } from "./store.ts";
import { MAX_ROW_BYTES, spaceOf } from "./store.ts";

interface Tables {
  log: Map<number, LogRow>;
  pages: Map<number, PageInfo & { data: Uint8Array }>;
  values: Map<number, Uint8Array>;
  meta: Map<string, Uint8Array>;
  deadLetters: Map<number, string>;
}

export class MemoryStore implements StateStore {
  #tables: Tables = {
    log: new Map(),
    pages: new Map(),
    values: new Map(),
    meta: new Map(),
    deadLetters: new Map(),
  };
  readonly rowsRead = 0;
  #rowsWritten = 0;

  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  transaction<T>(work: () => T): T {
    const { log, pages, values, meta, deadLetters } = this.#tables;
    const before = {
      log: new Map(log),
      pages: new Map(pages),
      values: new Map(values),
      meta: new Map(meta),
      deadLetters: new Map(deadLetters),
    };
    try {
      return work();
    } catch (error) {
      this.#tables = before;
      throw error;
    }
  }

  readLog(lsn: number): LogRow[] {
    return [...this.#tables.log.values()]
      .filter((row) => row.lsn > lsn)
      .sort((a, b) => a.lsn - b.lsn || a.part - b.part);
  }

  writeLog(row: LogRow): void {
    this.#wrote(row.data);
    this.#tables.log.set(row.slot, { ...row, data: row.data.slice() });
  }

  scrubLog(lsn: number): number {
    let scrubbed = 0;
    for (const [slot, row] of this.#tables.log) {
      if (row.lsn > lsn || row.data.length === 0) continue;
      this.#tables.log.set(slot, { ...row, data: new Uint8Array() });
      scrubbed++;
    }
    this.#rowsWritten += scrubbed;
    return scrubbed;
  }

  listPages(space: PageSpace): PageInfo[] {
    return [...this.#tables.pages.values()]
      .filter((page) => spaceOf(page) === space)
      .map(({ id, first }) => ({ id, first }))
      .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  }

  readPage(id: number): Uint8Array | undefined {
    return this.#tables.pages.get(id)?.data;
  }

  writePage(page: PageInfo, data: Uint8Array): void {
    this.#wrote(data);
    this.#tables.pages.set(page.id, { id: page.id, first: page.first, data: data.slice() });
    this.#deleteValues(page.id);
  }

  deletePage(id: number): void {
    if (this.#tables.pages.delete(id)) this.#rowsWritten++;
    this.#deleteValues(id);
  }

  readValues(id: number): Uint8Array | undefined {
    return this.#tables.values.get(id);
  }

  writeValues(id: number, data: Uint8Array): void {
    this.#wrote(data);
    this.#tables.values.set(id, data.slice());
  }

  readMeta(name: string): Uint8Array | undefined {
    return this.#tables.meta.get(name);
  }

  writeMeta(name: string, data: Uint8Array): void {
    this.#wrote(data);
    this.#tables.meta.set(name, data.slice());
  }

  listDeadLetters(after: number, limit: number): DeadLetterRow[] {
    return [...this.#tables.deadLetters]
      .filter(([number]) => number > after)
      .sort(([a], [b]) => a - b)
      .slice(0, limit)
      .map(([number, data]) => ({ number, data }));
  }

  writeDeadLetter(row: DeadLetterRow): void {
    this.#rowsWritten++;
    this.#tables.deadLetters.set(row.number, row.data);
  }

  deleteDeadLetter(number: number): void {
    if (this.#tables.deadLetters.delete(number)) this.#rowsWritten++;
  }

  #deleteValues(id: number): void {
    if (this.#tables.values.delete(id)) this.#rowsWritten++;
  }

  #wrote(data: Uint8Array): void {
    if (data.length > MAX_ROW_BYTES)
      throw new RangeError(`a row of ${data.length} bytes; the limit is ${MAX_ROW_BYTES}`);
    this.#rowsWritten++;
  }
}
