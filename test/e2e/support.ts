/** Waiting for what comes by itself, without asserting how long it takes. */
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 60_000;

/** Asks again and again until the answer is yes. Times are in ms. @throws Error when it never is. */
export async function eventually(
  ask: () => Promise<boolean>,
  every = 50,
  patience = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error("it did not come about");
    await sleep(every);
  }
}
