/**
 * Semantics: what the functions of simulated jobs do to one piece of data. The jobs and the recount share them, as both
 * must mean the same; they import nothing.
 *
 * Data is of two sorts. *Items* have an id and are counted one by one. *Weights* have none: they are changes of an
 * aggregate, or sums that a timer gives off. How many there are depends on what was committed together, and only the sum of
 * their weights per key is determined. A function decides by the item's id or by the weight's key, so what happens to a
 * key's weights is the same however they are cut.
 */

/** What flows through a simulated job. */
export interface Datum {
  readonly key: string;
  readonly id?: string;
  readonly v?: number;
  /** Event time of an item as its source gave it; lost where an item is made anew. */
  readonly time?: number;
  /** As in KeyedResult. */
  readonly value?: number;
  readonly previous?: number;
  /** By stage: the id that the item had there, and the number of the run whose outcome this is. */
  readonly runs?: Readonly<Record<string, readonly [id: string, run: number]>>;
  /** What an operator in event time gives off. */
  readonly pane?: PaneDatum;
}

/** How many of each id. */
export type Counts = readonly (readonly [id: string, n: number])[];

/** The result of a key's window, or what an alarm has gathered. */
export interface PaneDatum {
  readonly start: number;
  readonly end: number;
  readonly index: number;
  readonly timing: "early" | "on-time" | "late";
  /** Ids, or how many. */
  readonly value: Counts | number;
  readonly previous?: Counts | number;
}

/** What a window's result is called where it goes on as an item. */
export function paneId(
  name: string,
  key: string,
  { start, end, index }: Pick<PaneDatum, "start" | "end" | "index">,
): string {
  return `${name}:${key}@${start}-${end}#${index}`;
}

/** What the datum adds to a sum. */
export function weightOf({ v, value, previous }: Datum): number {
  return value === undefined ? (v ?? 0) : value - (previous ?? 0);
}

/** What decides about a datum. */
export function markOf({ id, key }: Datum): string {
  return id ?? key;
}

/** FNV-1a: a whole number that looks random, the same on every machine. */
export function scatter(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** From so many groups on, their keys are long: then the state of a shard takes several pages. */
export const WIDE = 60;

/** The key that a `keyBy` in front of `name` gives. */
export function groupOf(name: string, groups: number, { key, id = "" }: Datum): string {
  if (groups < WIDE) return `g${scatter(`${name} group ${key}`) % groups}`;
  return `g${scatter(`${name} group ${key} ${id}`) % groups}-${"x".repeat(2_000)}`;
}

export function mapped(name: string, datum: Datum): Datum {
  return renamed(datum, `k${scatter(`${name} key ${datum.key}`) % 9}`, `.${name}`);
}

export function kept(name: string, datum: Datum): boolean {
  return scatter(`${name} keep ${markOf(datum)}`) % 4 !== 0;
}

/** None, one or two. */
export function copied(name: string, datum: Datum): Datum[] {
  const copies = scatter(`${name} copies ${markOf(datum)}`) % 3;
  return Array.from({ length: copies }, (_, n) =>
    renamed(datum, `k${scatter(`${name} ${n} ${datum.key}`) % 9}`, `.${name}-${n}`),
  );
}

export const BRANCHES = ["left", "right"] as const;
export type Branch = (typeof BRANCHES)[number];

/** The branch of a split that takes the datum; undefined for the rest. */
export function branchOf(name: string, datum: Datum): Branch | undefined {
  return BRANCHES[scatter(`${name} branch ${markOf(datum)}`) % 3];
}

/** The side output of a stage, for some; undefined for the main one. */
export const ODD = "odd";

export function isOdd(name: string, datum: Datum): boolean {
  return scatter(`${name} odd ${markOf(datum)}`) % 3 === 0;
}

/** An item as a process function or a stage passes it on. */
export function passed(name: string, datum: Datum): Datum {
  return renamed(datum, datum.key, `.${name}`);
}

/** Which data a function fails on. */
export interface Fault {
  /** One in so many. */
  readonly oneIn: number;
  /** Whatever version of the job runs; else until the job is mended. */
  readonly forGood: boolean;
}

export function failsOn(name: string, fault: Fault | undefined, datum: Datum): boolean {
  return fault !== undefined && scatter(`${name} fails on ${markOf(datum)}`) % fault.oneIn === 0;
}

function renamed(datum: Datum, key: string, suffix: string): Datum {
  return { ...datum, key, ...(datum.id === undefined ? {} : { id: datum.id + suffix }) };
}
