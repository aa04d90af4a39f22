/** The plain recount: what the views must show, from the orders alone. It imports nothing from the engine. */

export type Version = "old" | "new";

/** One record as it is sent. */
export interface Order {
  readonly page: string;
  readonly amounts: readonly number[];
  /** `invalid` is refused at the door, `dropped` by a filter; `throws` fails in a hook, `half` for its second amount. */
  readonly fault?: "invalid" | "dropped" | "throws" | "half";
}

export interface Recount {
  readonly views: Map<string, number>;
  readonly sums: Map<string, number>;
  accepted: number;
  /** Orders that are dead letters of the operator instead of applied. */
  readonly dead: { views: number; sums: number };
}

export function emptyRecount(): Recount {
  return { views: new Map(), sums: new Map(), accepted: 0, dead: { views: 0, sums: 0 } };
}

/** Counts one order once, the way this version of the job routes it. */
export function recount(into: Recount, order: Order, version: Version): void {
  if (order.fault === "invalid") return;
  into.accepted++;
  const page = version === "old" ? order.page : `${order.page}/`;
  into.views.set(page, (into.views.get(page) ?? 0) + 1);
  if (order.fault === "dropped") return;
  if (order.fault === "throws") {
    into.dead.sums++;
    return;
  }
  order.amounts.forEach((amount, n) => {
    if (order.fault === "half" && n === 1) return;
    const digit = `digit ${version === "old" ? amount % 10 : amount % 7}`;
    into.sums.set(digit, (into.sums.get(digit) ?? 0) + amount);
  });
}
