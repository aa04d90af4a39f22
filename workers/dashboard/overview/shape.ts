/** Shape: what the values of a view are, as far as its entries show: the page knows no view's type. */

export type Shape = "numbers" | "records" | "lists" | "texts" | "mixed";

/** Undefined while there is nothing to judge by. */
export function shapeOf(values: readonly unknown[]): Shape | undefined {
  const shapes = new Set(values.filter((value) => value !== null && value !== undefined).map(shapeOfOne));
  if (shapes.size === 0) return values.length === 0 ? undefined : "mixed";
  const [only = "mixed"] = shapes;
  return shapes.size === 1 ? only : "mixed";
}

function shapeOfOne(value: unknown): Shape {
  if (typeof value === "number") return "numbers";
  if (typeof value === "string" || typeof value === "boolean") return "texts";
  return Array.isArray(value) ? "lists" : "records";
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A line of a top list: what it counts, and how much of it there was. */
export interface Ranked {
  readonly key: string;
  readonly value: number;
}

/** A value that is a top list, as `top` and `topResults` make them: objects of one text and one number each. */
export function rankedOf(value: unknown): readonly Ranked[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const lines = value.map(lineOf);
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

function lineOf(item: unknown): Ranked | undefined {
  if (!isRecord(item)) return undefined;
  const fields = Object.values(item);
  const texts = fields.filter((field) => typeof field === "string");
  const numbers = fields.filter((field) => typeof field === "number");
  const [key] = texts;
  const value = typeof item.value === "number" ? item.value : numbers[0];
  return texts.length === 1 && key !== undefined && value !== undefined ? { key, value } : undefined;
}

export interface Columns {
  /** The field that says which of a few states a record is in, if there is one. */
  readonly state?: string;
  readonly fields: readonly string[];
}

const STATES = ["state", "status", "kind", "level", "severity"];

/** The columns of a table of records: their fields in the order in which they come, without those that only repeat the key. */
export function columnsOf(entries: readonly { readonly key: string; readonly value: unknown }[]): Columns {
  const rows = entries.flatMap(({ key, value }) => (isRecord(value) ? [{ key, value }] : []));
  const names = [...new Set(rows.flatMap(({ value }) => Object.keys(value)))];
  const told = names.filter((name) => !rows.every(({ key, value }) => value[name] === key));
  const state = STATES.find((name) => rows.some(({ value }) => typeof value[name] === "string"));
  const fields = told.filter((name) => name !== state);
  return state === undefined ? { fields } : { state, fields };
}

const EARLIEST = Date.UTC(2001, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** A moment, if the value can hardly be anything else: epoch milliseconds of this century, or an ISO time. */
export function momentOf(value: unknown): number | undefined {
  if (typeof value === "number") {
    return Number.isInteger(value) && value >= EARLIEST && value < LATEST ? value : undefined;
  }
  if (typeof value !== "string" || !ISO.test(value)) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

/** The latest moment that a record names: those with news come first. */
export function latestOf(value: unknown): number {
  if (!isRecord(value)) return 0;
  return Math.max(0, ...Object.values(value).map((field) => momentOf(field) ?? 0));
}
