/** useTotal: the sum of a view's values as it grows, and how fast. */
import { useEffect } from "preact/hooks";
import type { Total } from "../api/types.ts";
import { useNow } from "../parts/time.tsx";
import type { LiveState } from "../state/live.ts";
import { useLive } from "../state/live.ts";
import type { Sample } from "./rate-meter.ts";
import { RateMeter } from "./rate-meter.ts";

export interface TotalState {
  readonly total?: Total;
  /** Undefined until it was seen for a while. */
  readonly perSecond?: number;
  readonly curve: readonly Sample[];
  readonly live: LiveState;
}

/** Kept while the page is open, so that going to another page and back loses no curve. */
const meters = new Map<string, RateMeter>();

export function useTotal(view: string): TotalState {
  const live = useLive(view, { total: 1 });
  const now = useNow();
  const meter = meters.get(view) ?? new RateMeter();
  meters.set(view, meter);
  const { total, status } = live;
  useEffect(() => {
    if (status !== "live") meter.pause();
    else if (total !== undefined) meter.see(Date.now(), total.total);
  }, [meter, status, total, now]);
  const { perSecond, curve } = meter;
  return {
    curve,
    live,
    ...(total === undefined ? {} : { total }),
    ...(perSecond === undefined ? {} : { perSecond }),
  };
}
