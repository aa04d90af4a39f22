/** A reporter that ends every test run with one plain line, `N passed, N failed`, over all projects. */
import { writeSync } from "node:fs";
import type { Reporter, SerializedError, TestModule, TestSuite } from "vitest/node";

export interface Summary {
  passed: number;
  failed: number;
  skipped: number;
}

/** Errors outside of a test (an import, a hook, a stray rejection) count as failures, since the run fails by them. */
export function summarize(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Summary {
  const summary: Summary = { passed: 0, failed: unhandled.length, skipped: 0 };
  const count = (suite: TestModule | TestSuite) => {
    if (suite.errors().length > 0) summary.failed++;
    for (const child of suite.children) {
      if (child.type === "suite") {
        count(child);
        continue;
      }
      const { state } = child.result();
      if (state === "passed") summary.passed++;
      else if (state === "failed") summary.failed++;
      else summary.skipped++;
    }
  };
  for (const module of modules) count(module);
  return summary;
}

export function format({ passed, failed, skipped }: Summary): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

export default class SummaryReporter implements Reporter {
  #line: string | undefined;
  #printsAtExit = false;

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    this.#line = format(summarize(modules, unhandled));
    if (this.#printsAtExit) return;
    this.#printsAtExit = true;
    // Other reporters and a slow teardown may still print; only the exit is really the end.
    process.once("exit", () => writeSync(1, `\n${this.#line}\n`));
  }
}
