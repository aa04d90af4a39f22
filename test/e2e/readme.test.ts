/** The README's commands, run as they stand there against a local runtime, give the answers that stand there. */
import { execFile } from "node:child_process";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { applied, post } from "./client.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = await readFile(`${root}/README.md`, "utf8");

interface Command {
  readonly line: string;
  /** A line of output, in which `…` stands for anything. */
  readonly output: string;
}

/** The commands of all console blocks, in order, with what they print. */
function commands(): Command[] {
  const blocks = [...readme.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((command) => {
        const [first = "", ...rest] = command.trimEnd().split("\n");
        const more = rest.filter((line) => line.startsWith("> ")).map((line) => line.slice(2));
        return {
          line: [first, ...more].join("\n"),
          output: rest.filter((line) => !line.startsWith("> ")).join("\n"),
        };
      }),
  );
}

/** Typed lines need the TCP port of `npm start`, which has its own test; here they go over HTTP. */
async function send(printf: string, runtime: Runtime): Promise<void> {
  const { stdout } = await run("sh", ["-c", printf.replace(/\|.*/, "")]);
  await applied(runtime, [await post(runtime, stdout, { "content-type": "text/plain" })]);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

let runtime: Runtime;

beforeAll(async () => {
  runtime = await startRuntime({});
});

afterAll(() => runtime.dispose());

describe("the README", () => {
  it("has commands to try", () => {
    expect(commands().length).toBeGreaterThan(5);
  });

  it.each(commands().filter(({ line }) => !line.startsWith("npm ")))("$line", async ({ line, output }) => {
    if (line.includes("| nc ")) return send(line, runtime);
    const command = line.replaceAll("localhost:8787", runtime.url.host).replaceAll("curl ", "curl -s ");
    const pattern = new RegExp(`^${output.split("…").map(escaped).join(".*")}$`);
    let printed = "";
    // A read right behind a write may be a moment early; a wrong answer stays wrong.
    for (let tries = 0; tries < 100; tries++) {
      printed = (await run("sh", ["-c", command])).stdout.trimEnd();
      if (pattern.test(printed) || line.includes("POST") || line.includes(" -d ")) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(printed).toMatch(pattern);
  });

  it("shows a program that runs in memory and prints what it says", async () => {
    const program = /```ts\n(import \{ JobStarter \}[\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const [, promised = ""] = /console\.log\(.*\/\/ (.*)/.exec(program) ?? [];
    const folder = await mkdtemp(`${root}/.readme-`);
    try {
      await writeFile(`${folder}/program.ts`, program.replaceAll('from "./', 'from "../'));
      const { stdout } = await run(process.execPath, [`${folder}/program.ts`]);
      const squeeze = (text: string) => text.replaceAll(/["'\s]/g, "");
      expect(squeeze(stdout)).toBe(squeeze(promised));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("links to files that exist", async () => {
    const links = [...readme.matchAll(/\]\((?!http|#)([^)#]+)/g)].map(([, link = ""]) => link);
    expect(links.length).toBeGreaterThan(5);
    for (const link of links) await access(`${root}/${link}`);
  });
});
