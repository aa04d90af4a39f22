/** The build of the live page: what it makes, and that builds and servers at the same time do not disturb each other. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundlePage, type PageFile } from "../../../scripts/dashboard/bundle.ts";
import { writeInto, writeOwn } from "../../../scripts/dashboard/folders.ts";

const folder = await mkdtemp(join(tmpdir(), "millrace-page-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const hashOf = (contents: Uint8Array) => createHash("sha256").update(contents).digest("hex");
const text = (file: PageFile | undefined) => new TextDecoder().decode(file?.contents);
const fileOf = (path: string, contents: string): PageFile => ({
  path,
  contents: new TextEncoder().encode(contents),
});

test("everything that the page names is there, under names that say what is in them, and the same each time", async () => {
  const [files, again] = await Promise.all([bundlePage(), bundlePage()]);
  expect(again.map(({ path, contents }) => `${path} ${hashOf(contents)}`)).toEqual(
    files.map(({ path, contents }) => `${path} ${hashOf(contents)}`),
  );
  const index = text(files.find(({ path }) => path === "index.html"));
  const named = [...index.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, path]) => path);
  expect(named.length).toBeGreaterThanOrEqual(4);
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(named));
  for (const path of paths.filter((path) => path !== "index.html"))
    expect(path).toMatch(/^assets\/[\w-]+-[A-Z0-9]{8}\.(js|css|svg|txt|js\.LEGAL\.txt)$/);
  const licenses = text(files.find(({ path }) => path.startsWith("assets/licenses-")));
  for (const name of ["preact", "@preact/signals", "uplot"]) expect(licenses).toContain(`${name}\n\n`);
  // A policy without 'unsafe-inline' would stop them.
  expect(index).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  expect(index).not.toMatch(/https?:/);
}, 60_000);

test("a folder that is served holds the new page, and for a while the files of the one before", async () => {
  const old = fileOf("assets/a-11111111.js", "old");
  await writeInto(folder, [old, fileOf("index.html", "first")]);
  await writeInto(folder, [fileOf("assets/b-22222222.js", "new"), fileOf("index.html", "second")]);
  expect(await readFile(join(folder, "index.html"), "utf8")).toBe("second");
  expect((await readdir(join(folder, "assets"))).sort()).toEqual(["a-11111111.js", "b-22222222.js"]);

  const longAgo = new Date(Date.now() - 24 * 3_600_000);
  await utimes(join(folder, old.path), longAgo, longAgo);
  await writeInto(folder, [fileOf("assets/b-22222222.js", "new"), fileOf("index.html", "second")]);
  expect(await readdir(join(folder, "assets"))).toEqual(["b-22222222.js"]);
});

test("builds at the same time end in one whole page", async () => {
  const files = [fileOf("assets/c-33333333.js", "c".repeat(100_000)), fileOf("index.html", "third")];
  await Promise.all(Array.from({ length: 8 }, () => writeInto(folder, files)));
  expect(await readFile(join(folder, "index.html"), "utf8")).toBe("third");
  const folders = await Promise.all(Array.from({ length: 8 }, () => writeOwn(files)));
  expect(new Set(folders).size).toBe(1);
  const [own = ""] = folders;
  expect(await readFile(join(own, "assets/c-33333333.js"), "utf8")).toBe("c".repeat(100_000));
  await rm(own, { recursive: true });
});

test("a server's own folder is another one for another page", async () => {
  const [first, second] = await Promise.all(
    ["one", "two"].map((content) => writeOwn([fileOf("index.html", content)])),
  );
  expect(first).not.toBe(second);
  await writeFile(join(first ?? "", "index.html"), "one");
  await Promise.all([first, second].map((own) => rm(own ?? "", { recursive: true })));
});
