/** WindowHead: which window something is of: when it was, and whether it is over. */
import type { JSX } from "preact";
import { Pill } from "../parts/pill.tsx";
import { Time, useNow } from "../parts/time.tsx";
import type { WindowRow } from "./history.ts";

export function WindowHead({ row }: { readonly row: WindowRow }): JSX.Element {
  const over = row.end <= useNow();
  return (
    <span class="ov-window">
      <WindowTime start={row.start} end={row.end} />
      <Pill tone={over ? "quiet" : "good"}>{stateOf(over, row.final)}</Pill>
    </span>
  );
}

/** A window that is over may wait for late events. */
export function stateOf(over: boolean, final: boolean): string {
  if (final) return "final";
  return over ? "may still change" : "going on";
}

const MINUTE = 60_000;
const DAY = 86_400_000;

/** A window of another day says which. */
export function WindowTime({ start, end }: { readonly start: number; readonly end: number }): JSX.Element {
  const whole = start % MINUTE === 0 && end % MINUTE === 0;
  const form = whole ? "minute" : "clock";
  const far = Math.abs(Date.now() - end) > DAY || end - start >= DAY;
  return (
    <span class="ov-when">
      <Time at={start} form={far ? "date" : form} />–
      <Time at={end} form={end - start >= DAY ? "date" : form} />
    </span>
  );
}
