/** Machine: where and of what a result was made. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";

export interface Machine {
  readonly date: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGigabytes: number;
  /** Processes that wanted to run over the minute before the start: above 0.3 or so, somebody else was at work. */
  readonly loadBefore: number;
  readonly node: string;
  readonly workerd: string;
  readonly miniflare: string;
  readonly millrace: string;
}

export function machine(): Machine {
  return {
    date: new Date().toISOString(),
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? "unknown",
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadavg()[0] ?? Number.NaN,
    node: process.version,
    workerd: versionOf("workerd"),
    miniflare: versionOf("miniflare"),
    millrace: commit(),
  };
}

function versionOf(name: string): string {
  try {
    const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  } catch {
    return "unknown";
  }
}

/** With a plus where files of the engine or the Workers differ from it. */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", ["--no-optional-locks", ...args], {
      cwd: new URL(".", import.meta.url),
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  try {
    const changed = git("status", "--porcelain", "--", ":/src", ":/workers", ":/wrangler.toml") !== "";
    return git("rev-parse", "--short", "HEAD") + (changed ? "+" : "");
  } catch {
    return "unknown";
  }
}
