/** Rows: events as joins keep them in their state, and the order in which they are taken. */

/** `[time, id, data]` */
export type Row<T> = readonly [time: number, id: string, data: T];

/** By (time, id): the same order however they came. */
export function byTime<T>(rows: readonly Row<T>[]): Row<T>[] {
  return rows.toSorted((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
}
