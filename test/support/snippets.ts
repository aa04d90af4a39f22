/** The snippets of a page, put behind each other, as a program that runs and is type-checked. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Fails unless the page's ts blocks are one program that prints nothing, ends well and has no type errors. Imports are
 * written as from the project's folder.
 *
 * @param page below the project's folder. @param then what is put behind the snippets.
 */
export async function expectToRun(page: string, atLeast: number, then = ""): Promise<void> {
  const text = await readFile(`${root}/${page}`, "utf8");
  const snippets = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, snippet = ""]) => snippet);
  expect(snippets.length).toBeGreaterThan(atLeast);
  // In the project, where its packages and its compiler settings are found.
  const folder = await mkdtemp(`${root}/.snippets-`);
  try {
    const program = `${snippets.join("\n")}\n${then}\nconsole.log("done");\n`;
    await writeFile(`${folder}/program.ts`, program.replaceAll('from "./', 'from "../'));
    const { stdout } = await run(process.execPath, [`${folder}/program.ts`]);
    expect(stdout).toBe("done\n");
    const config = { extends: "../tsconfig.node.json", include: ["program.ts"], exclude: [] };
    await writeFile(`${folder}/tsconfig.json`, JSON.stringify(config));
    const { stdout: errors } = await run(`${root}/node_modules/.bin/tsc`, ["-p", folder, "--noEmit"]).catch(
      (error: { stdout: string }) => error,
    );
    expect(errors.split("\n").filter((line) => line.includes("program.ts"))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
