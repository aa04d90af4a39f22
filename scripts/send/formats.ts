/** Formats: one line of input becomes one event, a reject with its reason, or nothing (a blank line). */
import { isUtf8 } from "node:buffer";
import { METHODS } from "node:http";
import { printable } from "./failure.ts";

/** `auto` decides line by line: `{` starts NDJSON, `/` or `scheme://` a URL, anything else must be an access log line. */
export const formats = ["auto", "log", "ndjson", "urls"] as const;
export type Format = (typeof formats)[number];

export type ParsedLine =
  /** `json`: the event as it is sent; `weight`: the bytes that it adds to the packed request. */
  | { readonly kind: "event"; readonly json: string; readonly weight: number }
  | { readonly kind: "reject"; readonly error: string }
  | { readonly kind: "blank" };

/** Longer URLs are rejected here, since one of them would fill a request by itself. Bytes of UTF-8. */
export const MAX_URL_BYTES = 16_384;

/** What an event costs in the packed request besides its URL: a length, a count and a time. Bytes. */
const EVENT_OVERHEAD = 8;

const BLANK: ParsedLine = { kind: "blank" };
const reject = (error: string): ParsedLine => ({ kind: "reject", error });

/**
 * Parses one line, without its line feed. Never throws, and depends on nothing but its arguments: the cut into requests
 * relies on that. Bytes outside ASCII matter only in what is sent: a log's user agent may be in any encoding.
 */
export function parseLine(bytes: Buffer, format: Format): ParsedLine {
  // One char a byte, so that a position in the text is a position in the bytes.
  const text = trimmed(bytes);
  if (text === "") return BLANK;
  switch (format === "auto" ? detect(text) : format) {
    case "ndjson":
      return parseJson(text);
    case "urls":
      return parseUrl(text);
    default:
      return parseLog(text, format === "auto");
  }
}

/** Without a byte order mark and ASCII blanks at the ends; `trim` would take a byte out of a letter like `à`. */
function trimmed(bytes: Buffer): string {
  const blank = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === 0x0d;
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  let end = bytes.length;
  while (start < end && blank(bytes[start])) start++;
  while (end > start && blank(bytes[end - 1])) end--;
  return bytes.toString("latin1", start, end);
}

function detect(text: string): Format {
  if (text.startsWith("{")) return "ndjson";
  return text.startsWith("/") || /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? "urls" : "log";
}

/** The line is sent as it stands: a source other than `clicks` has fields of its own, which only the server knows. */
function parseJson(latin1: string): ParsedLine {
  const json = decodeUtf8(latin1);
  if (json === undefined) return reject("not valid UTF-8");
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return reject("not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return reject("not a JSON object");
  return { kind: "event", json, weight: latin1.length };
}

function parseUrl(latin1: string): ParsedLine {
  return eventOf(latin1, "URL", undefined);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const STAMP = /\[(\d{1,2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})\] "/;
const AFTER_REQUEST = / (?:\d{3}|-)(?: |$)/y;
const KNOWN_METHODS = new Set(METHODS);

/**
 * Common and combined log format, and their variants with other fields before the time or after the status. Only
 * `[time] "request" status` is read; what follows may be cut short.
 */
function parseLog(latin1: string, guessed: boolean): ParsedLine {
  const stamp = STAMP.exec(latin1);
  if (stamp === null || stamp.index === 0) {
    return reject(
      guessed
        ? "not an access log line, a JSON object or a URL (--format forces one)"
        : "not an access log line",
    );
  }
  const time = timeOf(stamp);
  if (time === undefined) return reject(`no such time: ${stamp[0].slice(0, -2)}`);

  const start = stamp.index + stamp[0].length;
  const end = closingQuote(latin1, start);
  if (end === undefined) return reject("the request is not closed by a quote and a status");
  const request = latin1.slice(start, end);
  if (request === "-" || request === "") return reject(`no request: "${request}"`);

  const first = request.indexOf(" ");
  const last = request.lastIndexOf(" ");
  if (first <= 0 || first === last || !/^HTTP\/\d(?:\.\d)?$/.test(request.slice(last + 1))) {
    return reject(`malformed request: "${printable(request, 60)}"`);
  }
  const method = request.slice(0, first);
  if (!KNOWN_METHODS.has(method)) return reject(`unknown method: "${printable(method, 20)}"`);
  return eventOf(request.slice(first + 1, last), "request target", time);
}

/** The request ends at the first quote that is not escaped and has a status behind it: some servers do not escape. */
function closingQuote(line: string, from: number): number | undefined {
  for (let at = line.indexOf('"', from); at !== -1; at = line.indexOf('"', at + 1)) {
    let slash = at;
    while (slash > from && line[slash - 1] === "\\") slash--;
    AFTER_REQUEST.lastIndex = at + 1;
    if ((at - slash) % 2 === 0 && AFTER_REQUEST.test(line)) return at;
  }
  return undefined;
}

/** Epoch milliseconds, or undefined for a time that no calendar has. A leap second counts as the next second. */
function timeOf(stamp: RegExpExecArray): number | undefined {
  const [, day, monthName, year, hour, minute, second, sign, offsetHours, offsetMinutes] = stamp;
  const month = MONTHS.indexOf(monthName ?? "");
  const date = new Date(0);
  date.setUTCFullYear(Number(year), month, Number(day));
  const exists = month >= 0 && date.getUTCMonth() === month && date.getUTCDate() === Number(day);
  if (!exists || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return date.getTime() + (sign === "-" ? offset : -offset);
}

/** Only `url` and `time`, to keep requests lean. Without a time the server takes the time of arrival. */
function eventOf(latin1: string, what: string, time: number | undefined): ParsedLine {
  if (latin1.length > MAX_URL_BYTES) return reject(`${what} longer than ${MAX_URL_BYTES} bytes`);
  const url = decodeUtf8(latin1);
  if (url === undefined) return reject(`${what} is not valid UTF-8`);
  if (url === "") return reject(`${what} is empty`);
  if (/[\p{Cc} ]/u.test(url)) return reject(`${what} has a space or a control character in it`);
  const json = JSON.stringify(time === undefined ? { url } : { url, time });
  return { kind: "event", json, weight: latin1.length + EVENT_OVERHEAD };
}

/** Undefined when the bytes are not UTF-8: replacement characters would make different URLs equal. */
function decodeUtf8(latin1: string): string | undefined {
  if (/^\p{ASCII}*$/u.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}
