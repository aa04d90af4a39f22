/** Page rewriting: a page with keys that come and go, and its pieces when it has grown too large. */
import type { KeyEdit } from "./key-text.ts";
import { Page } from "./page.ts";

/** A page over this many bytes is split. */
const MAX_PAGE_BYTES = 48 * 1024;
/** What the pieces of a split aim at: they have room to grow before they split again. */
const SPLIT_PAGE_BYTES = 24 * 1024;

/** A key comes with its value, or goes. */
export interface PageEdit extends KeyEdit {
  readonly value: unknown;
}

/** A page with keys that come and without those that go. @param edits in the order of their keys. */
export function edited(page: Page, edits: readonly PageEdit[]): Page {
  const values: unknown[] = [];
  let next = 0;
  const keepUpTo = (to: number) => {
    for (; next < to; next++) values.push(page.get(next));
  };
  for (const { at, key, value } of edits) {
    keepUpTo(at);
    if (key === undefined) next = at + 1;
    else values.push(value);
  }
  keepUpTo(page.keys.length);
  return new Page(page.keys.edited(edits), values);
}

/** A page, or its pieces when it is too large: large values may sit together, so a piece may have to be cut again. */
export function cut(page: Page): { page: Page; data: Uint8Array }[] {
  const data = page.encode();
  if (data.length <= MAX_PAGE_BYTES || page.keys.length === 1) return [{ page, data }];
  return split(page, Math.max(2, Math.ceil(data.length / SPLIT_PAGE_BYTES))).flatMap(cut);
}

/** Cuts a page into pieces of about as many keys each. */
function split({ keys, values }: Page, pieces: number): Page[] {
  const size = Math.max(1, Math.ceil(keys.length / pieces));
  const cut: Page[] = [];
  for (let at = 0; at < keys.length; at += size)
    cut.push(new Page(keys.slice(at, at + size), values.slice(at, at + size)));
  return cut;
}
