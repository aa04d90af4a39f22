/**
 * window join: pairs what two keyed streams have of one key in one window.
 *
 * ```ts
 * persons.keyBy((p) => p.id).window(tumbling("10 seconds"))
 *   .join("new-sellers", auctions.keyBy((a) => a.seller), (person, auction) => ({ ...person, auction: auction.id }))
 * ```
 *
 * When the watermark has passed a window's end, each element of the left is paired with each of the right, in the order of
 * (time, id); then both are dropped. A left join pairs what finds nobody on the right with `undefined`, a full join on both
 * sides. What comes after that is late for the window. Source: Flink's window join (`CoGroupedStreams`).
 */
import type { Collector } from "../collector.ts";
import { PlanError } from "../errors.ts";
import type { ProcessContext, ProcessOptions, Timer } from "../process.ts";
import { ProcessFunction } from "../process.ts";
import type { WindowRules } from "../windows/trigger.ts";
import type { Window, WindowAssigner } from "../windows/window.ts";
import { lastOf, windowsOf } from "../windows/window.ts";
import type { PortedEvent } from "./enrich.ts";
import type { Row } from "./rows.ts";
import { byTime } from "./rows.ts";

export type JoinKind = "inner" | "left" | "full";

export const RIGHT_PORT = 1;

/** What makes a result of a pair; the side that an outer join found nobody on is undefined. */
export type PairFunction<T, U, V> = (left: T, right: U, window: Window) => V;

export class WindowJoinFunction<T, U, V> extends ProcessFunction<T | U, V> {
  readonly assigner: WindowAssigner;
  readonly kind: JoinKind;
  readonly fn: PairFunction<T, U, V>;

  /** @throws PlanError when the windows or their rules are none that a join can have. */
  constructor(
    name: string,
    kind: JoinKind,
    { assigner, rules }: { readonly assigner: WindowAssigner; readonly rules: WindowRules },
    fn: PairFunction<T, U, V>,
    options: ProcessOptions = {},
  ) {
    super(name, { ...options, eventTime: true });
    const refuse = (what: string) => {
      throw new PlanError(`join ${name}: ${what}`);
    };
    if (assigner.merging)
      refuse("sessions cannot be joined; use tumbling or hopping windows, or intervalJoin");
    if (assigner.time === "processing") refuse("windows of a join go by event time");
    if (rules.lateness > 0 || rules.early !== undefined || rules.late !== undefined || rules.discarding)
      refuse("a window of a join fires once, at its end; leave lateness, early, late and panes out");
    this.assigner = assigner;
    this.kind = kind;
    this.fn = fn;
  }

  override get signature(): string {
    return `window-join:${this.kind}:${this.assigner.signature}`;
  }

  apply(event: PortedEvent<T | U>, _collector: Collector<V>, context: ProcessContext): void {
    const windows = windowsOf(this.assigner, event.time, event);
    const open = windows.filter((window) => lastOf(window) > context.watermark);
    if (windows.length > 0 && open.length === 0) {
      context.late();
      return;
    }
    const side = event.port === RIGHT_PORT ? "r" : "l";
    for (const { start, end } of open) {
      const id = `${start}:${end}`;
      context.state.list<Row<T | U>>(side + id).add([event.time, event.id, event.data]);
      context.eventTimers.set(id, end - 1);
    }
  }

  override onTimer({ name: id }: Timer, collector: Collector<V>, { state }: ProcessContext): void {
    const [start = 0, end = 0] = id.split(":").map(Number);
    const sides = ["l", "r"].map((side) => state.list<Row<T | U>>(side + id));
    const [left = [], right = []] = sides.map((side) => byTime(side.get()));
    const pair = (l: Row<T | U> | undefined, r: Row<T | U> | undefined) =>
      collector.emit(this.fn(l?.[2] as T, r?.[2] as U, { start, end }));
    if (right.length === 0 && this.kind !== "inner") for (const l of left) pair(l, undefined);
    if (left.length === 0 && this.kind === "full") for (const r of right) pair(undefined, r);
    for (const l of left) for (const r of right) pair(l, r);
    for (const side of sides) side.clear();
  }
}
