/** Places: where elements belong in event time, how many of each are there, and comparing them. */
import type { TimedRow } from "./expected.ts";
import type { Counts } from "./semantics.ts";
import type { WindowSpec } from "./spec.ts";
import { Violation } from "./violation.ts";

/** An entry of a windowed view, as it is stored. */
export interface ViewWindow {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly value: Counts | number;
}

/** Where an element belongs, and at which watermark it is late for that. */
export interface Place {
  readonly place: string;
  readonly deadline: number;
}

/** Of a place, how many of each id it has. */
export type Got = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** The windows of an element that are not sessions. */
export function windowsOf(
  { fn, size, slide, lateness }: Pick<WindowSpec, "fn" | "size" | "slide" | "lateness">,
  { key, time }: Pick<TimedRow, "key" | "time">,
): Place[] {
  const step = fn === "hopping" ? slide : size;
  const places: Place[] = [];
  for (let start = Math.floor(time / step) * step; start > time - size; start -= step) {
    places.push({ place: placeOf(key, start, start + size), deadline: start + size - 1 + lateness });
  }
  return places.reverse();
}

export function placeOf(key: string, start: number, end: number): string {
  return `${key}@${start}-${end}`;
}

/** Under it a place has how many it holds, where it does not know their ids. */
export const ALL = "*";

export function countsOf(value: Counts | number): Map<string, number> {
  return typeof value === "number" ? new Map([[ALL, value]]) : new Map(value);
}

/** @throws Violation unless each id is there at least and at most so often. */
export function compareRange(
  what: string,
  got: ReadonlyMap<string, number>,
  least: ReadonlyMap<string, number>,
  most: ReadonlyMap<string, number>,
): void {
  for (const id of new Set([...got.keys(), ...least.keys()])) {
    const n = got.get(id) ?? 0;
    const [low, high] = [least.get(id) ?? 0, most.get(id) ?? 0];
    if (n < low || n > high)
      throw new Violation(`${what}: ${n} of ${id}, the recount says ${low} to ${high}`);
  }
}

export function grouped<T>(list: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const group = groups.get(by(one));
    if (group === undefined) groups.set(by(one), [one]);
    else group.push(one);
  }
  return groups;
}

/** How many rows have each id. */
export function tallyRows(rows: readonly TimedRow[]): Map<string, number> {
  return tally(rows.map(({ id }) => [id, 1] as const));
}

/** How many of each id, in all. */
export function tally(list: Counts): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [id, n] of list) counts.set(id, (counts.get(id) ?? 0) + n);
  return counts;
}
