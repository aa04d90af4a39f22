/** Checks who may import whom: the engine stays free of any platform, and what depends on it is never imported back. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

interface Rule {
  /** The files that the rule is for, and among them those that it is not for. */
  readonly files: RegExp;
  readonly except?: RegExp;
  /** What they may not import: a path from the top folder, or the specifier of a package or built-in module. */
  readonly forbidden: RegExp;
  /** Of these, what they may import types of: nothing of it is left at run time. */
  readonly allowedTypes?: RegExp;
  readonly because: string;
}

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  readonly because: string;
}

export const rules: readonly Rule[] = [
  {
    files: /^src\//,
    forbidden: /^(workers|scripts|test)\//,
    because: "src is the library: what uses it imports it, never the other way round",
  },
  {
    files: /^src\//,
    except: /^src\/cloudflare\//,
    forbidden: /^(src\/cloudflare\/|cloudflare:|node:|hono(\/|-|$)|@hono\/|@cloudflare\/)/,
    because: "the engine is free of any platform: put this into src/cloudflare, behind a contract",
  },
  {
    files: /^src\//,
    except: /^src\/testing\//,
    forbidden: /^src\/testing\//,
    because: "src/testing is for tests: what runs in production does not need it",
  },
  {
    files: /^workers\//,
    forbidden: /^(scripts|test)\//,
    because: "a Worker is deployed without scripts and tests",
  },
  {
    files: /^workers\/dashboard\//,
    forbidden: /^(src\/|workers\/(?!dashboard\/)|cloudflare:|node:|hono(\/|-|$)|@hono\/|@cloudflare\/)/,
    allowedTypes: /^src\/cloudflare\/query\/schemas\.ts$/,
    because: "the page runs in a browser and knows the HTTP interface only, of which it may import the types",
  },
  {
    files: /^(src|scripts|workers\/(?!dashboard\/))/,
    forbidden: /^workers\/dashboard\//,
    because: "the page runs in a browser: it is built and served, not imported",
  },
  {
    files: /^workers\/jobs\//,
    forbidden: /^(src\/(?!index\.ts$)|workers\/(?!jobs\/))/,
    because: "a job is what a user writes: it gets all it needs from src/index.ts",
  },
  {
    files: /^scripts\//,
    except: /^scripts\/simulate\//,
    forbidden: /^test\//,
    because: "scripts work without the tests; only the simulation is one of them",
  },
];

// Imports start a line in formatted code, which keeps the examples inside comments out.
const STATIC = /^[ \t]*(?:import|export)\s+(?:type\s+)?(?:[\w$*{},\s]+?\sfrom\s*)?["']([^"'\n]+)["']/gm;
const DYNAMIC = /^(?![ \t]*(?:\*|\/\/|\/\*)).*?\bimport\(\s*["']([^"'\n]+)["']/gm;

export function violations(file: string, source: string): Violation[] {
  const applying = rules.filter((rule) => rule.files.test(file) && !rule.except?.test(file));
  const found: Violation[] = [];
  for (const match of [...source.matchAll(STATIC), ...source.matchAll(DYNAMIC)]) {
    const [text, specifier = ""] = match;
    const target = specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : specifier;
    const typeOnly = /^\s*(?:import|export)\s+type\s/.test(text);
    const rule = applying.find(
      ({ forbidden, allowedTypes }) =>
        forbidden.test(target) && !(typeOnly && allowedTypes?.test(target) === true),
    );
    if (!rule) continue;
    const line = source.slice(0, match.index + text.length).split("\n").length;
    found.push({ file, line, specifier, because: rule.because });
  }
  return found.sort((a, b) => a.line - b.line);
}

function sources(root: string): string[] {
  return ["src", "workers", "scripts"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.[mc]?[tj]sx?$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/")),
  );
}

if (import.meta.main) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const found = sources(root).flatMap((file) => violations(file, readFileSync(join(root, file), "utf8")));
  for (const { file, line, specifier, because } of found) {
    console.error(`${file}:${line} may not import "${specifier}": ${because}.`);
  }
  if (found.length > 0) process.exitCode = 1;
}
