/** Trigger: when a window shows a result before, or after, the watermark has passed its end. */
import { PlanError } from "../errors.ts";
import { spanOf } from "./span.ts";
import type { WindowAssigner } from "./window.ts";

/** The side output to which operators in event time send events that came too late. */
export const LATE = "late";

export type Trigger =
  | { readonly kind: "every"; readonly ms: number }
  | { readonly kind: "count"; readonly n: number };

/**
 * So long, in processing time, after the first event that a pane holds. Source: Beam's
 * `AfterProcessingTime.pastFirstElementInPane().plusDelayOf`, repeated.
 *
 * @throws PlanError when it is no span.
 */
export function every(span: number | string): Trigger {
  return { kind: "every", ms: spanOf("every", span) };
}

/** With every `n`th event of a pane. @throws PlanError unless a whole number of at least 1. */
export function afterCount(n: number): Trigger {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new PlanError(`afterCount: a whole number of at least 1, not ${String(n)}`);
  return { kind: "count", n };
}

/** With every event. */
export function eachEvent(): Trigger {
  return { kind: "count", n: 1 };
}

export interface WindowOptions {
  /**
   * How long, in event time after its end, a window takes events that come late: it fires again for them. Later ones go
   * to the side output `late` and are counted. 0 by default.
   */
  readonly lateness?: number | string;
  /** When it shows a result before the watermark has passed its end. Never by default. */
  readonly early?: Trigger;
  /**
   * When it shows a result for events that come after that. By default once for every commit that brings some, which
   * in slow traffic is every event.
   */
  readonly late?: Trigger;
  /** What results downstream hold: all of the window so far (the default), or only what came since the last one. The view always shows all. */
  readonly panes?: "accumulating" | "discarding";
  /** How long, in processing time after it was closed, the view keeps a window. "1 day" by default. */
  readonly retention?: number | string;
}

/** Options as the engine reads them, spans in milliseconds. */
export interface WindowRules {
  readonly lateness: number;
  readonly early: Trigger | undefined;
  readonly late: Trigger | undefined;
  readonly discarding: boolean;
  readonly retention: number;
}

/** @throws PlanError that names the option. */
export function rulesOf({ time }: WindowAssigner, options: WindowOptions): WindowRules {
  const { lateness = 0, early, late, panes = "accumulating", retention = "1 day" } = options;
  if (time === "processing" && (lateness !== 0 || late !== undefined))
    throw new PlanError("window: nothing is late in processing time; leave `lateness` and `late` out");
  return {
    lateness: lateness === 0 ? 0 : spanOf("window, lateness", lateness),
    early,
    late,
    discarding: panes === "discarding",
    retention: spanOf("window, retention", retention),
  };
}
