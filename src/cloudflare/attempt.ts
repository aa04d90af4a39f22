/** Attempt: something that may fail, or hang, as data: what came of it, or why nothing did. */
import { messageOf } from "../errors.ts";

/** An answer, or why there is none. */
export type Attempt<T> = { readonly answer: T } | { readonly error: string };

/** Does something that may fail, and says what came of it; never throws. */
export async function attempt<T>(work: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { answer: await work() };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** The same of something that may hang as well. @param patience ms. */
export async function attempted<T>(patience: number, work: () => Promise<T>): Promise<Attempt<T>> {
  const timeout = Promise.withResolvers<Attempt<T>>();
  const timer = setTimeout(
    () => timeout.resolve({ error: `no answer within ${patience / 1000} s` }),
    patience,
  );
  try {
    return await Promise.race([attempt(work), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
