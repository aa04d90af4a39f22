/** The snippets of the guides are programs. */
import { test } from "vitest";
import { expectToRun } from "../support/snippets.ts";

test("docs/testing.md", { timeout: 120_000 }, () => expectToRun("docs/testing.md", 4));

test("docs/jobs.md is one job, and it can be planned", { timeout: 120_000 }, () =>
  expectToRun("docs/jobs.md", 5, 'const { planJobs } = await import("../src/index.ts");\nplanJobs([job]);'),
);

test("docs/event-time.md is one job, and it can be planned", { timeout: 120_000 }, () =>
  expectToRun(
    "docs/event-time.md",
    5,
    'const { planJobs } = await import("../src/index.ts");\nplanJobs([job]);',
  ),
);
