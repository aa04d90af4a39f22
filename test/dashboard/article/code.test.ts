/** What the article page says of the code: the files that it names are there, and its excerpts stand in them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { planJobs } from "../../../src/index.ts";
import { SLOW_MS, SLOW_SOURCE } from "../../../workers/dashboard/article/deployment.ts";
import { dedented, EXCERPTS } from "../../../workers/dashboard/article/excerpts.ts";
import { FILES } from "../../../workers/dashboard/article/files.ts";
import { exercises } from "../../../workers/jobs/exercises/index.ts";
import { slowLane } from "../../../workers/jobs/slow-lane/slow-lane-job.ts";

const root = new URL("../../../", import.meta.url);
const page = fileURLToPath(new URL("workers/dashboard/article", root));

function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

describe("files", () => {
  it.each(FILES)("%s is there", (path) => expect(existsSync(new URL(path, root))).toBe(true));

  it("are all shown", () => {
    const sources = readdirSync(page, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name) && name !== "files.ts")
      .map((name) => readFileSync(`${page}/${name}`, "utf8"))
      .join("\n");
    expect(FILES.filter((file) => !sources.includes(`"${file}"`))).toEqual([]);
  });
});

describe("excerpts", () => {
  it.each(Object.entries(EXCERPTS))("%s stands in its file, to the letter", (_name, { file, code }) => {
    expect(read(file)).toContain(code);
    // Whole lines of it: neither the first nor the last is a part of one.
    expect(`\n${read(file)}\n`).toContain(`\n${code}\n`);
  });

  it("lose the indentation that all their lines share, and no more", () => {
    expect(dedented("    a {\n\n      b\n    }")).toBe("a {\n\n  b\n}");
    expect(dedented("a\n  b")).toBe("a\n  b");
  });
});

describe("the slow lane", () => {
  it("has the source and the work that the comparison takes it for", () => {
    expect([...planJobs([slowLane]).sources.keys()]).toEqual([SLOW_SOURCE]);
    const wait = /WAIT_MS = (\d+);/.exec(read("workers/jobs/slow-lane/slow-lane-job.ts"))?.[1];
    expect(Number(wait)).toBe(SLOW_MS);
  });
});

it("each exercise has the file and the name by which it is run", () => {
  const shown = read("workers/dashboard/article/exercises/exercises.tsx").matchAll(
    /file: "workers\/jobs\/exercises\/(.*)"/g,
  );
  expect([...shown].map(([, file], n) => [`exercise-${n + 1}`, file])).toEqual(
    [...exercises].map(([name, { file }]) => [name, file]),
  );
});
