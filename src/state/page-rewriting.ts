/** Page rewriting: a page with keys that come and go, and its pieces when it has grown too large. */
import { hashOf } from "./key-map.ts";
import type { Frozen } from "./overlay.ts";
import { PackedKeys } from "./packed-keys.ts";
import { Page } from "./page.ts";

/** A page over this many bytes is split. */
const MAX_PAGE_BYTES = 48 * 1024;
/** What the pieces of a split aim at: they have room to grow before they split again. */
const SPLIT_PAGE_BYTES = 24 * 1024;

/** A page without the keys that are taken out, and with those that are new. @param keys in order, of entries. */
export function mergedInto(page: Page, keys: readonly string[], entries: Frozen["entries"]): Page {
  const all: string[] = [];
  const values: unknown[] = [];
  let at = 0;
  const copyUpTo = (end: number) => {
    for (; at < end; at++) {
      all.push(page.keys.get(at));
      values.push(page.get(at));
    }
  };
  for (const key of keys) {
    const found = page.keys.find(key);
    copyUpTo(found < 0 ? ~found : found);
    if (found >= 0) at++;
    const value = entries.find(key, hashOf(key))?.value;
    if (value === null) continue;
    all.push(key);
    values.push(value);
  }
  copyUpTo(page.keys.length);
  return new Page(new PackedKeys(all), values);
}

/** A page, or its pieces when it is too large: large values may sit together, so a piece may have to be cut again. */
export function cut(page: Page): { page: Page; data: Uint8Array }[] {
  const data = page.encode();
  if (data.length <= MAX_PAGE_BYTES || page.keys.length === 1) return [{ page, data }];
  return split(page, Math.max(2, Math.ceil(data.length / SPLIT_PAGE_BYTES))).flatMap(cut);
}

/** Cuts a page into pieces of about as many keys each. */
function split(page: Page, pieces: number): Page[] {
  const keys = page.keys.list();
  const values = page.values();
  const size = Math.max(1, Math.ceil(keys.length / pieces));
  const cut: Page[] = [];
  for (let at = 0; at < keys.length; at += size) {
    cut.push(new Page(new PackedKeys(keys.slice(at, at + size)), values.slice(at, at + size)));
  }
  return cut;
}
