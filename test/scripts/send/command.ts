/** Runs the command as a user does: a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const main = fileURLToPath(new URL("../../../scripts/send/main.ts", import.meta.url));

export interface Outcome {
  /** Null after a kill. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

/** Starts it in `folder`, with nothing of the environment that it reads. Killed when the test ends. `stays`: the pipe is not closed. */
export function start(folder: string, args: readonly string[], input?: string, stays = false): Run {
  const { MILLRACE_URL, MILLRACE_KEY, PORT, npm_lifecycle_event, ...env } = process.env;
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdin.on("error", () => {});
  if (input === undefined) child.stdin.end();
  else child.stdin.write(input, () => stays || child.stdin.end());
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, outcome };
}

export function run(folder: string, args: readonly string[], input?: string): Promise<Outcome> {
  return start(folder, args, input).outcome;
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "send-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Access log lines with a skewed choice of `targets` paths, and how often each was named. */
export function accessLog(lines: number, targets: number, random: () => number = Math.random) {
  const counts = new Map<string, number>();
  const text = Array.from({ length: lines }, (_, i) => {
    const url = `/page-${Math.floor(random() ** 2 * targets)}?v=${i % 3}`;
    counts.set(url, (counts.get(url) ?? 0) + 1);
    const second = String(i % 60).padStart(2, "0");
    return `192.0.2.1 - - [17/May/2015:10:05:${second} +0000] "GET ${url} HTTP/1.1" 200 12 "-" "agent"\n`;
  }).join("");
  return { text, counts };
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
