/** Cloudflare's list prices, in US dollars a million, beyond what the paid plan includes. */
export const prices = {
  asOf: "November 2026",
  workerRequest: 0.3,
  /** Per 64 KB of a message; writing, reading and deleting are one each. */
  queueOperation: 0.4,
  objectRequest: 0.15,
  rowWritten: 1,
  /** R2, class A: each file that is written. */
  fileWritten: 4.5,
} as const;
