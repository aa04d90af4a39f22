/** The commands of the exercises' page, run as they stand there against `npm start`, print what stands there. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test, vi } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const page = await readFile(`${root}/workers/jobs/exercises/README.md`, "utf8");

interface Command {
  readonly line: string;
  /** In which `…` stands for anything. */
  readonly output: string;
}

/** Per section that has commands, its title and its commands. */
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => {
    const [title = ""] = text.split("\n", 1);
    const [, block = ""] = /```console\n([\s\S]*?)```/.exec(text) ?? [];
    const commands = block
      .split(/^\$ /m)
      .slice(1)
      .map((command): Command => {
        const [line = "", ...output] = command.trimEnd().split("\n");
        return { line, output: output.join("\n") };
      });
    return { title, commands };
  });

/** `npm start`, without what npm does around it. */
class Server {
  readonly #stateDir = mkdtempSync(path.join(tmpdir(), "exercise-"));
  #child: ChildProcess | undefined;
  #host = "";

  constructor() {
    onTestFinished(() => {
      this.#child?.kill("SIGKILL");
      rmSync(this.#stateDir, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  /** Stops in order what runs, and starts it with these arguments. */
  async start(args: readonly string[]): Promise<void> {
    await this.#stop();
    const env = { ...process.env, npm_lifecycle_event: undefined, PORT: "0", TCP_PORT: "0" };
    const child = spawn(process.execPath, ["scripts/start.ts", ...args], {
      cwd: root,
      env: { ...env, STATE_DIR: this.#stateDir },
    });
    this.#child = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    await vi.waitFor(() => expect(output).toMatch(/TCP +localhost/), { timeout: 60_000, interval: 50 });
    [, this.#host = ""] = /HTTP +http:\/\/(\S+)/.exec(output) ?? [];
  }

  /** A command as it stands on the page, meant for this server. */
  here(command: string, job: string): string {
    return command
      .replaceAll("localhost:8787", this.#host)
      .replaceAll("curl ", "curl -s ")
      .replaceAll(`.millrace/${job}`, this.#stateDir);
  }

  /** What a command has printed, as if it had been given where the page says. */
  there(output: string, job: string): string {
    return output.replaceAll(this.#stateDir, `.millrace/${job}`);
  }

  async #stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.on("close", resolve));
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  }
}

describe("the page of the exercises", () => {
  test("has commands for six", () => {
    expect(sections.map(({ title }) => title.slice(0, 2))).toEqual(["1.", "2.", "3.", "4.", "5.", "6."]);
    for (const { commands } of sections) expect(commands.length).toBeGreaterThan(2);
  });

  test.each(sections)("$title", { timeout: 240_000 }, async ({ commands }) => {
    const server = new Server();
    let job = "";
    for (const { line, output } of commands) {
      const [, args] = /^npm start -- (.*)/.exec(line) ?? [];
      if (args !== undefined) {
        job = args.replace("--job ", "");
        await server.start(args.split(" "));
        continue;
      }
      const pattern = new RegExp(`^${output.split("…").map(escaped).join("[^]*")}$`);
      let printed = "";
      // What is read right behind a write may be a moment early; a wrong answer stays wrong. What is to be refused may
      // come just when there is room again: it takes that room, so the next one is refused.
      const refused = output.includes("429");
      for (let tries = 0; tries < 100; tries++) {
        const { stdout } = await run("bash", ["-c", server.here(line, job)]);
        printed = server.there(stdout.replaceAll("\r", "").trimEnd(), job);
        if (pattern.test(printed) || (/ -d /.test(line) && !refused)) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(printed, line).toMatch(pattern);
    }
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
