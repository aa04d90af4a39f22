/**
 * Window keys: where a shard keeps what belongs to a window: sorted by the window's end, then its length, then the key.
 *
 * So the keys of one window lie side by side: firing it is one pass, dropping it empties whole pages, and a range of time
 * is a range of keys. Where windows merge, an index tells which ones a key has.
 */
import { MAX_TIME } from "../../../clock.ts";
import type { Window } from "../../../windows/window.ts";
import { padded } from "../processors/timer-index.ts";

const SEPARATOR = "\0";
const DIGITS = 16;
const ENTRY = "w";
const INDEX = "s";

/** A window as text that sorts by end, then length. Both fit: ends are not negative, and a start may be. */
export function windowId({ start, end }: Window): string {
  return padded(end) + padded(end - start);
}

/** What all entries of a window start with. */
export function windowPrefix(window: Window): string {
  return ENTRY + windowId(window) + SEPARATOR;
}

/** What all entries of windows start with. */
export const WINDOWS_PREFIX = ENTRY;

export function entryKey(window: Window, key: string): string {
  return windowPrefix(window) + key;
}

/** Which windows a key has, where they merge. */
export function indexKey(key: string): string {
  return INDEX + SEPARATOR + key;
}

export interface KeyedWindow {
  readonly window: Window;
  readonly key: string;
}

export function parseWindowId(id: string): Window {
  const end = Number(id.slice(0, DIGITS));
  return { start: end - Number(id.slice(DIGITS, 2 * DIGITS)), end };
}

export function parseEntryKey(text: string): KeyedWindow {
  return {
    window: parseWindowId(text.slice(ENTRY.length)),
    key: text.slice(ENTRY.length + 2 * DIGITS + SEPARATOR.length),
  };
}

/** What sorts before all entries of windows that end after `time`, and after all others: for a range that starts there. */
export function afterEnd(time: number): string {
  return `${ENTRY}${padded(Math.min(Math.max(0, time + 1), MAX_TIME + 1))}`;
}

/** A timer's key: the window, and the key where it has windows of its own. */
export function timerTarget(window: Window, key?: string): string {
  return windowId(window) + (key === undefined ? "" : SEPARATOR + key);
}

export function parseTimerTarget(text: string): {
  readonly window: Window;
  readonly key: string | undefined;
} {
  const window = parseWindowId(text);
  return { window, key: text.length > 2 * DIGITS ? text.slice(2 * DIGITS + SEPARATOR.length) : undefined };
}

/** What sorts after all entries of a window, and before those of the next one. */
export function pastWindow(window: Window): string {
  return `${ENTRY}${windowId(window)}\u0001`;
}

/** As `pastWindow`, for the window of an entry: by its text, so that it lies behind it whatever an assigner has made up. */
export function pastEntry(place: string): string {
  return `${place.slice(0, place.indexOf(SEPARATOR))}\u0001`;
}

/** Whether a timer's key is that of one key's own window, or pane. */
export function isTimerOf(timer: string, key: string): boolean {
  const at = timer.indexOf(SEPARATOR);
  return at !== -1 && timer.slice(at + SEPARATOR.length) === key;
}
