/** Spans: the sizes, slides, gaps and offsets of windows, checked. */
import { millisecondsOf } from "../duration.ts";
import { PlanError } from "../errors.ts";

/** A span in whole milliseconds, at least 1. @throws PlanError that names what it is for. */
export function spanOf(what: string, span: number | string): number {
  const ms = checked(what, span);
  if (ms >= 1) return ms;
  throw new PlanError(`${what}: must be at least 1 millisecond, not ${JSON.stringify(span)}`);
}

/** How far windows are shifted, in whole milliseconds; may be negative as a number. @throws PlanError. */
export function offsetOf(what: string, offset: number | string): number {
  return typeof offset === "number" && offset < 0 ? -checked(what, -offset) : checked(what, offset);
}

function checked(what: string, span: number | string): number {
  let ms: number;
  try {
    ms = millisecondsOf(span);
  } catch (error) {
    throw new PlanError(`${what}: ${(error as Error).message}`, { cause: error });
  }
  if (Number.isSafeInteger(ms)) return ms;
  throw new PlanError(`${what}: must be whole milliseconds, not ${JSON.stringify(span)}`);
}
