/** Folders: where the built page is written, so that builds and servers at the same time do not disturb each other. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PageFile } from "./bundle.ts";

export const pages = fileURLToPath(new URL("../../.millrace/pages/", import.meta.url));
const drafts = join(pages, "drafts");

/** Who has opened the page before a deploy may still ask for code of that page. */
const OLD_AFTER_MS = 60 * 60_000;

/**
 * Writes the page into a folder that may be served or deployed right now: every file at once or not at all, and the one
 * that names the others last.
 */
export async function writeInto(folder: string, files: readonly PageFile[]): Promise<void> {
  const index = files.filter(({ path }) => path === "index.html");
  const others = files.filter((file) => !index.includes(file));
  for (const file of [...others, ...index]) await writeFileAt(join(folder, file.path), file.contents);
  const current = new Set(files.map(({ path }) => path));
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of found.filter((candidate) => candidate.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const known = path.slice(folder.length + 1).replaceAll("\\", "/");
    if (!current.has(known) && (await isOld(path))) await rm(path, { force: true });
  }
}

/**
 * Writes the page into a folder of its own, named by its content: it never changes once it is there, so a server that has
 * begun with it can go on with it.
 *
 * @returns the folder.
 */
export async function writeOwn(files: readonly PageFile[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { path, contents } of files) hash.update(`${path}\0${contents.length}\0`).update(contents);
  const folder = join(pages, hash.digest("hex").slice(0, 16));
  if (!existsSync(folder)) {
    const draft = join(drafts, randomUUID());
    for (const file of files) await writeFileAt(join(draft, file.path), file.contents);
    // Another build may have been faster: then its folder, which is the same, stays.
    await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
  }
  const now = new Date();
  await utimes(folder, now, now);
  for (const name of await readdir(pages)) {
    const path = join(pages, name);
    if (path !== folder && (await isOld(path, 7 * 24))) await rm(path, { recursive: true, force: true });
  }
  return folder;
}

async function writeFileAt(path: string, contents: Uint8Array): Promise<void> {
  const there = await readFile(path).catch(() => undefined);
  if (there?.equals(contents) === true) return;
  await mkdir(dirname(path), { recursive: true });
  // Elsewhere, since a folder that is being deployed is to hold nothing else; yet on the same disk.
  const draft = join(drafts, randomUUID());
  await mkdir(drafts, { recursive: true });
  await writeFile(draft, contents);
  await rename(draft, path);
}

async function isOld(path: string, times = 1): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > times * OLD_AFTER_MS;
}
