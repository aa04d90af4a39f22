/** Paths: pages of a small site, a few of them much looked at and most of them seldom, as on real ones. */

/** They say where they come from, so that a visitor's own pages are not mixed up with them. */
export const PREFIX = "/try";

export const PATHS: readonly string[] = [
  "/home",
  "/products",
  "/pricing",
  "/blog",
  "/docs",
  "/products/lamp",
  "/products/chair",
  "/about",
  "/blog/streams",
  "/products/table",
  "/docs/start",
  "/contact",
  "/products/shelf",
  "/blog/queues",
  "/jobs",
  "/docs/windows",
  "/products/rug",
  "/blog/exactly-once",
  "/imprint",
  "/search",
].map((path) => `${PREFIX}${path}`);

/** For each page, which part of all views are of it or of one before it: the n-th is viewed 1/n as often as the first. */
const SHARES = PATHS.map((_, n) => 1 / (n + 1)).map((_, n, weights) => {
  const sum = (some: readonly number[]) => some.reduce((total, weight) => total + weight, 0);
  return sum(weights.slice(0, n + 1)) / sum(weights);
});

/** @param random from 0 up to 1. */
export function pickPath(random: number): string {
  const at = SHARES.findIndex((share) => random < share);
  return PATHS[at] ?? (PATHS.at(-1) as string);
}
