/** allDone: like Promise.all, but when one fails the others are waited for: nothing goes on behind a delivery's back. */

/** @throws what the first of them, in order, was rejected with. */
export async function allDone<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
