/** JSON: finds where a text stops being JSON, which the platform's parser does not always say. */
import { byteLength } from "../../byte-length.ts";

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What may come next: a value, the first thing in an array, a key, the first thing in an object, a colon, what follows a value. */
type Expected = "value" | "item or ]" | "key" | "key or }" | ":" | "end of value";

/**
 * The byte, counted from 0, at which `text` (which `JSON.parse` has refused) is no longer JSON; its length in bytes when
 * it ends too early. Of a broken number, word or escape it is where that begins. Walks the text once, without recursion: hostile nesting costs no stack.
 */
export function jsonErrorByte(text: string): number {
  return byteLength(text.slice(0, errorIndex(text)));
}

function errorIndex(text: string): number {
  const open: string[] = [];
  let at = 0;
  let expected: Expected = "value";
  for (;;) {
    at += lengthOf(SPACE, text, at);
    const char = text[at];
    if (char === undefined) return text.length;
    if (expected === "end of value") {
      const inside = open.at(-1);
      if (char === "," && inside !== undefined) expected = inside === "[" ? "value" : "key";
      else if ((char === "]" && inside === "[") || (char === "}" && inside === "{")) open.pop();
      else return at;
      at++;
    } else if (expected === ":") {
      if (char !== ":") return at;
      at++;
      expected = "value";
    } else if ((expected === "item or ]" && char === "]") || (expected === "key or }" && char === "}")) {
      open.pop();
      at++;
      expected = "end of value";
    } else if (expected === "key" || expected === "key or }") {
      const { end, closed } = stringEnd(text, at);
      if (!closed) return end;
      at = end;
      expected = ":";
    } else if (char === "[" || char === "{") {
      open.push(char);
      at++;
      expected = char === "[" ? "item or ]" : "key or }";
    } else if (char === '"') {
      const { end, closed } = stringEnd(text, at);
      if (!closed) return end;
      at = end;
      expected = "end of value";
    } else {
      const length = lengthOf(SCALAR, text, at);
      if (length === 0) return at;
      at += length;
      expected = "end of value";
    }
  }
}

/** Where the string that starts at `at` ends, or where it is no longer one. A loop: a pattern would run out of stack. */
function stringEnd(text: string, at: number): { end: number; closed: boolean } {
  if (text[at] !== '"') return { end: at, closed: false };
  let end = at + 1;
  for (;;) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) return { end: end + 1, closed: true };
    const length = code === BACKSLASH ? lengthOf(ESCAPE, text, end) : code >= 0x20 ? 1 : 0;
    if (length === 0) return { end, closed: false };
    end += length;
  }
}

function lengthOf(token: RegExp, text: string, at: number): number {
  token.lastIndex = at;
  return token.exec(text)?.[0].length ?? 0;
}

/** Whether a parsed value nests arrays and objects deeper than `limit`; never looks further down than that. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, limit - 1));
  for (const name in value) {
    if (isDeeperThan((value as Record<string, unknown>)[name], limit - 1)) return true;
  }
  return false;
}
