/** The list prices that `plan` leaves out, beside those that it has; all as of the same date. */
import { prices as planned } from "../../plan/prices.ts";

export const prices = {
  ...planned,
  rowRead: 0.001,
  /** A million milliseconds of CPU time. */
  cpuMillisecond: 0.02,
  /** A million GB-s; an object is billed as 128 MB while it is awake. */
  gigabyteSecond: 12.5,
} as const;

export const OBJECT_GIGABYTES = 0.128;
