/** EveryByte: a store in memory of which every row of every table can be searched for a text. */
import { MemoryStore } from "../../src/state/memory-store.ts";
import type { LogRow, PageInfo } from "../../src/state/store.ts";

export class SearchedStore extends MemoryStore {
  readonly #metas = new Set<string>();
  readonly #pages = new Map<number, string>();
  readonly #slots = new Set<number>();

  override writeMeta(name: string, data: Uint8Array): void {
    this.#metas.add(name);
    super.writeMeta(name, data);
  }

  override writePage(page: PageInfo, data: Uint8Array): void {
    this.#pages.set(page.id, page.first);
    super.writePage(page, data);
  }

  override deletePage(id: number): void {
    this.#pages.delete(id);
    super.deletePage(id);
  }

  override writeLog(row: LogRow): void {
    this.#slots.add(row.slot);
    super.writeLog(row);
  }

  /** The rows that hold the text anywhere: in keys, in values, in text inside text. */
  rowsWith(text: string): string[] {
    const found: string[] = [];
    const look = (name: string, data: Uint8Array | string | undefined) => {
      const content = typeof data === "string" ? data : Buffer.from(data ?? []).toString();
      if (content.includes(text)) found.push(name);
    };
    const log = this.readLog(-1);
    if (log.length !== this.#slots.size) throw new Error("rows of the log are out of sight");
    for (const { slot, lsn, data } of log) look(`log ${slot} (${lsn})`, data);
    const pages = [...this.listPages("state"), ...this.listPages("timers")];
    if (pages.length !== this.#pages.size) throw new Error("pages are out of sight");
    for (const { id, first } of pages) {
      look(`page ${id} first`, first);
      look(`page ${id}`, this.readPage(id));
      look(`values of page ${id}`, this.readValues(id));
    }
    for (const name of this.#metas) look(`meta ${name}`, this.readMeta(name));
    for (const { number, data } of this.listDeadLetters(0, 1e6)) look(`letter ${number}`, data);
    return found;
  }
}
