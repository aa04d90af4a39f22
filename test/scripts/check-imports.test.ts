/** Who may import whom, by the rules that the static checks hold the code to. */
import { describe, expect, test } from "vitest";
import { violations } from "../../scripts/check-imports.ts";

const specifiers = (file: string, source: string) =>
  violations(file, source).map(({ specifier }) => specifier);

describe("the live page", () => {
  const page = "workers/dashboard/api/types.ts";
  const schemas = "../../../src/cloudflare/query/schemas.ts";

  test("may import types of the HTTP interface's schemas, and nothing that is there at run time", () => {
    expect(specifiers(page, `import type { jobSchema } from "${schemas}";`)).toEqual([]);
    expect(specifiers(page, `import type {\n  jobSchema,\n  viewSchema,\n} from "${schemas}";`)).toEqual([]);
    expect(specifiers(page, `export type { Job } from "${schemas}";`)).toEqual([]);
    expect(specifiers(page, `import { jobSchema } from "${schemas}";`)).toEqual([schemas]);
    expect(specifiers(page, `import { type Job } from "${schemas}";`)).toEqual([schemas]);
    expect(specifiers(page, `const { jobSchema } = await import("${schemas}");`)).toEqual([schemas]);
  });

  test.each([
    "../../../src/index.ts",
    "../../../src/cloudflare/query/schemas/jobs.ts",
    "../../jobs/index.ts",
    "../../query/index.ts",
    "../../../scripts/usage.ts",
    "node:fs",
    "cloudflare:workers",
    "hono",
  ])("imports nothing of %s, not even types", (specifier) => {
    expect(specifiers(page, `import type { A } from "${specifier}";`)).toEqual([specifier]);
  });

  test("imports its own files and browser libraries", () => {
    const source = `import { render } from "preact";\nimport "../style/base.css";\nimport { link } from "../route.ts";`;
    expect(specifiers(page, source)).toEqual([]);
  });

  test.each([
    "src/index.ts",
    "workers/query/index.ts",
    "workers/jobs/clickstream/job.ts",
    "scripts/start.ts",
  ])("is not imported by %s", (file) => {
    const up = "../".repeat(file.split("/").length - 1);
    const specifier = `${up}workers/dashboard/routes.ts`;
    expect(specifiers(file, `import { link } from "${specifier}";`)).toEqual([specifier]);
  });
});

test("the engine imports no platform", () => {
  expect(specifiers("src/engine/shard/shard.ts", 'import { Hono } from "hono";')).toEqual(["hono"]);
  expect(specifiers("src/cloudflare/query/app.ts", 'import { Hono } from "hono";')).toEqual([]);
});

test("a violation is told with its line", () => {
  const source = '/** Text. */\nimport { a } from "./a.ts";\nimport { b } from "node:fs";\n';
  expect(violations("src/plan.ts", source)).toEqual([
    expect.objectContaining({ file: "src/plan.ts", line: 3, specifier: "node:fs" }),
  ]);
});
