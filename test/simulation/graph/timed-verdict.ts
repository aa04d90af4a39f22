/**
 * Timed verdict: compares what an operator in event time came to with what came to it.
 *
 * Where several copies of a request were under way, or an operator in front decided when something went on, it may or may
 * not have been late; then the operator's view and what it gave off as late must agree with each other, and else with the
 * recount.
 */
import { readRange } from "../../../src/engine/shard/reader.ts";
import { readWindows } from "../../../src/engine/shard/window-reader.ts";
import type { TimedContent, TimedRow } from "./expected.ts";
import { comparePanes } from "./panes.ts";
import type { Got, Place, ViewWindow } from "./places.ts";
import { ALL, compareRange, countsOf, grouped, placeOf, tally, windowsOf } from "./places.ts";
import type { Counts, Datum } from "./semantics.ts";
import { groupOf, paneId } from "./semantics.ts";
import { compareSessions } from "./sessions.ts";
import type { Settled } from "./settled.ts";
import type { EventTimeSpec, WindowSpec } from "./spec.ts";
import { LATE } from "./spec.ts";
import type { Listed } from "./timed-functions.ts";
import { same, Violation } from "./violation.ts";

/** @throws Violation that says where the two differ. */
export function compareTimed(world: Settled, content: TimedContent): void {
  const { node } = content;
  const rows = content.upstream === undefined ? content.rows : resultsOf(world, content.upstream, node);
  const all = { ...content, rows };
  switch (node.kind) {
    case "window":
      compareWindows(world, node, all);
      return;
    case "timed":
      if (node.fn === "alarm") compareAlarms(world, all);
      else compareSorted(world, all);
      return;
    case "join":
      compareJoin(world, all);
  }
}

function compareWindows(world: Settled, node: WindowSpec, content: TimedContent): void {
  const view = viewOf(world, node.name, content.closes);
  const written = writtenOf(world, node.name);
  if (node.fn === "session") {
    compareSessions(node, content.rows, view);
    const deadline = ({ time }: TimedRow) => time + node.size - 1 + node.lateness;
    // What is late by itself may still find a session that is open.
    const places = (row: TimedRow) => [{ place: "", deadline: deadline(row) }];
    compareLate(world, { ...content, rows: content.rows.map((row) => ({ ...row, low: -1 })) }, places);
  } else {
    const got = new Map(
      view.map(({ key, start, end, value }) => [placeOf(key, start, end), countsOf(value)] as const),
    );
    const places = (row: TimedRow) => windowsOf(node, row);
    comparePlaces(node.name, content.rows, places, got, true);
    compareLate(world, content, places, got);
  }
  if (written !== undefined) comparePanes(content, node, view, written);
}

function compareAlarms(world: Settled, content: TimedContent): void {
  const { node, rows, closes } = content;
  if (node.kind !== "timed") return;
  const { name, size } = node;
  const places = ({ key, time }: TimedRow): Place[] => {
    const start = Math.floor(time / size) * size;
    return [{ place: placeOf(key, start, start + size), deadline: time }];
  };
  const got = new Map<string, ReadonlyMap<string, number>>();
  const written = writtenOf(world, name);
  if (written === undefined) {
    compareLate(world, content, places);
    return;
  }
  for (const { id, key, pane } of written) {
    if (pane === undefined) throw new Violation(`${name}: ${id} is no pane`);
    const place = placeOf(key, pane.start, pane.end);
    if (id !== paneId(name, key, pane)) throw new Violation(`${name}: a timer fired ${id}`);
    if (got.has(place)) throw new Violation(`${name}: the timer of ${place} fired twice`);
    got.set(place, countsOf(pane.value));
  }
  comparePlaces(name, rows, places, got, closes);
  compareLate(world, content, places, closes ? got : undefined);
  const left = entriesOf(world, name).flatMap(([, state]) => Object.keys(state as object));
  if (closes) same(`${name}: state that is left`, left.filter((one) => one !== "last").length, 0);
}

function compareSorted(world: Settled, content: TimedContent): void {
  const { node, rows, closes } = content;
  const { name } = node;
  const got = new Map<string, ReadonlyMap<string, number>>();
  for (const [key, state] of entriesOf(world, name)) {
    const { order = [], ...waiting } = state as { order?: readonly Listed[] };
    const sorted = order.toSorted(([a, b], [c, d]) => a - c || (b < d ? -1 : b > d ? 1 : 0));
    same(`${name}: the order of ${key}`, order, sorted);
    if (closes) same(`${name}: what waits in ${key}`, Object.keys(waiting), []);
    got.set(key, tally(order.map(([, , id]) => [id, 1])));
  }
  const places = ({ key, time }: TimedRow) => [{ place: key, deadline: time }];
  comparePlaces(name, rows, places, got, closes);
  compareLate(world, content, places, closes ? got : undefined);
}

function compareJoin(world: Settled, content: TimedContent): void {
  const { node, rows, others, closes } = content;
  if (node.kind !== "join") return;
  const { name, fn, size } = node;
  const isWindow = fn === "window";
  const places = (row: TimedRow): Place[] =>
    isWindow
      ? windowsOf({ fn: "tumbling", size, slide: size, lateness: 0 }, row)
      : [{ place: "", deadline: row.time }];
  compareLate(world, { ...content, rows: [...rows, ...others] }, places);
  const written = writtenOf(world, name);
  if (written === undefined) return;
  const got = tally(written.map(({ id = "" }) => [id, 1]));
  const sure = new Map<string, number>();
  const may = new Map<string, number>();
  const right = grouped(others, ({ key }) => key);
  for (const l of rows) {
    for (const r of right.get(l.key) ?? []) {
      const [lp, rp] = [places(l)[0] as Place, places(r)[0] as Place];
      if (isWindow ? lp.place !== rp.place : Math.abs(l.time - r.time) > size) continue;
      const at = isWindow ? `@${Math.floor(l.time / size) * size + size}` : "";
      const id = `${l.id}+${r.id}${at}`;
      const isSure = lp.deadline > l.high && rp.deadline > r.high;
      if (isSure) sure.set(id, (sure.get(id) ?? 0) + 1);
      if (lp.deadline > l.low && rp.deadline > r.low) may.set(id, (may.get(id) ?? 0) + 1);
    }
  }
  compareRange(`${name}: pairs`, got, closes || !isWindow ? sure : new Map(), may);
  const left = entriesOf(world, name);
  if (closes) same(`${name}: state that is left`, left.length, 0);
}

/** Each place has what surely belongs there, and nothing that surely does not. @param whole whether it must be there by now. */
function comparePlaces(
  name: string,
  rows: readonly TimedRow[],
  places: (row: TimedRow) => readonly Place[],
  got: Got,
  whole: boolean,
): void {
  const sure = new Map<string, Map<string, number>>();
  const may = new Map<string, Map<string, number>>();
  for (const row of rows) {
    for (const { place, deadline } of places(row)) {
      if (whole && deadline > row.high) count(sure, place, row.id);
      if (deadline > row.low) count(may, place, row.id);
    }
  }
  for (const place of new Set([...got.keys(), ...sure.keys()])) {
    const own = got.get(place) ?? new Map<string, number>();
    const least = sure.get(place) ?? new Map<string, number>();
    const most = may.get(place) ?? new Map<string, number>();
    if (own.has(ALL)) compareRange(`${name}, ${place}`, own, sumOf(least), sumOf(most));
    else compareRange(`${name}, ${place}`, own, least, most);
  }
}

/** What is late is counted, and goes to the side output: it and nothing else is missing from where it belongs. */
function compareLate(
  world: Settled,
  { node: { name }, rows }: TimedContent,
  places: (row: TimedRow) => readonly Place[],
  got?: Got,
): void {
  const last = (row: TimedRow) => Math.max(...places(row).map(({ deadline }) => deadline));
  const shards = world.shards.of(name).map((shard) => shard.stored().counters.flows);
  const counted = shards.flatMap((flows) => Object.values(flows)).reduce((sum, { late }) => sum + late, 0);
  const surely = new Set<string>();
  const maybe = new Set<string>();
  const rowsById = grouped(rows, ({ id }) => id);
  const least = new Map<string, number>();
  const most = new Map<string, number>();
  for (const row of rows) {
    // What lies between two windows belongs to none, and is late for none.
    if (places(row).length === 0) continue;
    const isMaybe = last(row) <= row.high;
    const isSurely = last(row) <= row.low;
    if (isSurely) surely.add(row.from);
    if (isMaybe) maybe.add(row.from);
    if (isSurely) least.set(row.id, (least.get(row.id) ?? 0) + 1);
    if (isMaybe) most.set(row.id, (most.get(row.id) ?? 0) + 1);
  }
  if (counted < surely.size || counted > maybe.size)
    throw new Violation(`${name}: ${counted} were late, the recount says ${surely.size} to ${maybe.size}`);
  const late = writtenOf(world, name, LATE);
  if (late === undefined) return;
  const given = tally(late.map(({ id = "" }) => [id, 1]));
  compareRange(`${name}: late`, given, least, most);
  if (got === undefined) return;
  for (const [id, own] of rowsById) {
    const place = places(own[0] as TimedRow).at(-1)?.place;
    if (place === undefined) continue;
    const counts = got.get(place);
    if (counts?.has(ALL) === true) return;
    same(`${name}: ${id} in ${place}, and late`, (counts?.get(id) ?? 0) + (given.get(id) ?? 0), own.length);
  }
}

/** What a window gives to another one behind it: its results, none of which can be late there. */
function resultsOf(world: Settled, upstream: string, { name, groups }: EventTimeSpec): TimedRow[] {
  return viewOf(world, upstream, true).map(({ key, start, end }) => {
    const id = paneId(upstream, key, { start, end, index: 0 });
    const time = end - 1;
    return { id, key: groupOf(name, groups, { id, key }), time, from: id, low: -1, high: time - 1 };
  });
}

function viewOf({ shards }: Settled, name: string, closes: boolean): ViewWindow[] {
  const entries = shards.of(name).flatMap((shard) => readWindows(shard.stored(), { limit: 1e9 }));
  const open = entries.find(({ final }) => !final);
  if (closes && open !== undefined)
    throw new Violation(
      `${name}: the window ${placeOf(open.key, open.window.start, open.window.end)} is not final`,
    );
  return entries.map(({ key, window, value }) => ({ key, ...window, value: value as Counts | number }));
}

/** What a sink behind the operator has written; undefined where there is none that stays. */
function writtenOf({ spec, target }: Settled, name: string, output?: string): Datum[] | undefined {
  const sink = spec.nodes.find(
    (node) =>
      node.kind === "sink" &&
      node.until === undefined &&
      node.input.from === name &&
      node.input.output === output,
  );
  return sink === undefined ? undefined : target.written(sink.name);
}

function entriesOf({ shards }: Settled, name: string): [string, unknown][] {
  return shards
    .of(name)
    .flatMap((shard) => readRange(shard.stored(), { limit: 1e9 }))
    .map(({ key, value }) => [key, value]);
}

function sumOf(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([[ALL, [...counts.values()].reduce((sum, n) => sum + n, 0)]]);
}

function count(counts: Map<string, Map<string, number>>, place: string, id: string): void {
  const own = counts.get(place) ?? new Map<string, number>();
  counts.set(place, own);
  own.set(id, (own.get(id) ?? 0) + 1);
}
