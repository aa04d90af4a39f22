/**
 * The build of the live page, which wrangler runs before it deploys or serves the query Worker; says nothing when all is
 * well. With `--sizes`, it tells how large each file is on its way to a browser.
 */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundlePage, PageError, type PageFile, source } from "./bundle.ts";
import { writeInto } from "./folders.ts";

function sizes(files: readonly PageFile[]): string {
  const rows = files
    .filter(({ path }) => !/\.(map|txt)$/.test(path))
    .map(({ path, contents }) => ({ path, gzipped: gzipSync(contents).length, plain: contents.length }));
  const all = rows.reduce((sum, { gzipped }) => sum + gzipped, 0);
  const lines = rows.map(
    ({ path, gzipped, plain }) => `${kilo(gzipped)} gzipped, ${kilo(plain)} plain  ${path}`,
  );
  return [...lines, `${kilo(all)} gzipped in all`, ""].join("\n");
}

function kilo(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(9);
}

try {
  const files = await bundlePage();
  await writeInto(join(source, "dist"), files);
  if (process.argv.includes("--sizes")) process.stdout.write(sizes(files));
} catch (thrown) {
  if (!(thrown instanceof PageError)) throw thrown;
  console.error(`${thrown.message}.`);
  process.exitCode = 1;
}
