/** Setup: says once, before the tests in a browser, that they are skipped, and why. */
import { executable, NO_BROWSER } from "./executable.ts";

export function setup(): void {
  if (executable === undefined && !process.env.CI) {
    process.stderr.write(`The tests in a browser are skipped: ${NO_BROWSER}.\n`);
  }
}
