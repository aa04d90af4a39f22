/** Prices: Cloudflare's list prices, in US dollars a million, beyond what the paid plan includes; for `/metrics`, `plan` and the bench. */
export const prices = {
  asOf: "November 2026",
  workerRequest: 0.3,
  /** A million milliseconds of CPU time. */
  cpuMillisecond: 0.02,
  /** Per 64 KB of a message; writing, reading and deleting are one each. */
  queueOperation: 0.4,
  objectRequest: 0.15,
  /** A million GB-s; an object is billed as 128 MB while it is awake. */
  gigabyteSecond: 12.5,
  rowWritten: 1,
  rowRead: 0.001,
  /** R2: what writes or lists. */
  r2ClassA: 4.5,
  /** R2: what reads. */
  r2ClassB: 0.36,
} as const;

/** The platform bills a message per 64 KB begun; whether that is 64,000 bytes is not said, so the smaller is taken. */
export const BILLED_BYTES = 64_000;

/** What an object is billed as. */
export const OBJECT_GIGABYTES = 0.128;
