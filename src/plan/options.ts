/** Options: what jobs say about their operators, checked and with defaults. */
import { millisecondsOf } from "../duration.ts";
import { messageOf, PlanError } from "../errors.ts";

export interface Range {
  readonly least: number;
  readonly most?: number;
  readonly otherwise: number;
}

/** @throws PlanError that names the operator, the option and what it may be. */
export function whole(owner: string, option: string, value: number | undefined, range: Range): number {
  const { least, most = Number.MAX_SAFE_INTEGER, otherwise } = range;
  if (value === undefined) return otherwise;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const bounds =
    range.most === undefined ? (least === 1 ? "above 0" : `from ${least}`) : `from ${least} to ${most}`;
  throw new PlanError(`${owner}: ${option} must be a whole number ${bounds}, not ${value}`);
}

/** A span in milliseconds. @throws PlanError when it is none. */
export function span(
  owner: string,
  option: string,
  value: number | string | undefined,
  otherwise: number,
): number {
  if (value === undefined) return otherwise;
  try {
    return millisecondsOf(value);
  } catch (error) {
    throw new PlanError(`${owner}: ${option}: ${messageOf(error)}`);
  }
}
