/** Bundle: the live page as the files that are served, made in memory. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildFailure, build, type Metafile } from "esbuild";

/** A file of the page, its path relative to the folder that is served. */
export interface PageFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

/** The page cannot be built; the message says where. */
export class PageError extends Error {
  override readonly name = "PageError";
}

export const source = fileURLToPath(new URL("../../workers/dashboard/", import.meta.url));

/** Everything but `index.html` has a hash of its content in its name, so that it may be kept for ever. */
const NAMES = "assets/[name]-[hash]";

/** @throws PageError. */
export async function bundlePage(): Promise<PageFile[]> {
  const { outputFiles, metafile } = await run();
  const bundled = outputFiles.map(({ path, contents }) => ({
    path: relative(source, path).split(sep).join("/"),
    contents,
  }));
  const icon = hashed("icon.svg", await readFile(join(source, "icon.svg")));
  const licenses = hashed("licenses.txt", new TextEncoder().encode(await licensesOf(metafile)));
  const index = await indexOf(metafile, { icon: icon.path, licenses: licenses.path });
  return [...bundled, icon, licenses, index].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function run() {
  try {
    return await build({
      absWorkingDir: source,
      entryPoints: ["main.tsx", "early.ts"],
      outdir: source,
      entryNames: NAMES,
      chunkNames: NAMES,
      assetNames: NAMES,
      bundle: true,
      splitting: true,
      format: "esm",
      // What has light-dark(), :has() and WebSockets under a strict policy.
      target: ["chrome123", "firefox121", "safari17.5"],
      jsx: "automatic",
      jsxImportSource: "preact",
      tsconfigRaw: {},
      minify: true,
      legalComments: "linked",
      define: { "process.env.NODE_ENV": '"production"' },
      metafile: true,
      write: false,
      logLevel: "silent",
    });
  } catch (thrown) {
    throw new PageError(`the page cannot be built: ${firstError(thrown)}`, { cause: thrown });
  }
}

function hashed(name: string, contents: Uint8Array): PageFile {
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 8).toUpperCase();
  const extension = extname(name);
  return { path: `assets/${basename(name, extension)}-${hash}${extension}`, contents };
}

/** What the licences of the packages ask for that are in the page: their text, in every copy. */
async function licensesOf({ inputs }: Metafile): Promise<string> {
  const packages = Object.keys(inputs).flatMap((path) => {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return folder === undefined ? [] : [folder];
  });
  const texts = [...new Set(packages)].sort().map(async (folder) => {
    const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
    const file = (await readdir(join(source, folder))).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new PageError(`the package ${name} has no file with its licence`);
    return `${name}\n\n${(await readFile(join(source, folder, file), "utf8")).trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

async function indexOf({ outputs }: Metafile, others: Record<string, string>): Promise<PageFile> {
  const outputOf = (entry: string) =>
    Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === entry);
  const [script = "", { cssBundle: style = "" } = {}] = outputOf("main.tsx") ?? [];
  const [early = ""] = outputOf("early.ts") ?? [];
  const addresses: Record<string, string> = { script, style, early, ...others };
  const template = await readFile(join(source, "index.html"), "utf8");
  const text = template.replaceAll(/%(\w+)%/g, (_, name: string) => {
    const path = addresses[name];
    if (!path) throw new PageError(`index.html asks for %${name}%, which the build does not make`);
    return `/${path}`;
  });
  return { path: "index.html", contents: new TextEncoder().encode(text) };
}

function firstError(thrown: unknown): string {
  const [first] = (thrown as Partial<BuildFailure>).errors ?? [];
  if (first === undefined) return String(thrown);
  const { location, text } = first;
  return location ? `workers/dashboard/${location.file}:${location.line}: ${text}` : text;
}
