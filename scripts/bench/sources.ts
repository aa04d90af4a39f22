/**
 * Sources: the Workers of the contenders, as they are or with something around them.
 *
 * A Worker that is to be metered, or to run another job, gets an entry and a config of its own in a temporary folder:
 * the project's config with another `main`, and an entry that imports the project's.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Register, WorkerSource } from "../local/workers.ts";
import { deployment } from "../local/workers.ts";
import { plan } from "./counting-job.ts";

export const CONTENDERS = ["limit", "queued", "naive", "synchronous", "millrace"] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** What Millrace runs beside the other contenders. */
export const countingJob: Register = {
  module: fileURLToPath(new URL("counting-job.ts", import.meta.url)),
  plan,
};

/** The configs of a contender's Workers; the first is the public door. */
export function configsOf(name: ContenderName): string[] {
  if (name === "millrace") return deployment.map(({ config }) => config);
  return [fileURLToPath(new URL(`contenders/${name}.toml`, import.meta.url))];
}

export function plain(configs: readonly string[]): WorkerSource[] {
  return configs.map((config) => ({ config }));
}

/** The same Workers, counted. @param folder to write into. */
export function meteredSources(configs: readonly string[], folder: string): WorkerSource[] {
  const instrument = quoted(new URL("meter/instrument.ts", import.meta.url));
  return configs.map((config, n) =>
    written(config, join(folder, String(n)), (main) => {
      const classes = classesOf(readFileSync(config, "utf8"));
      return [
        `import * as entry from ${JSON.stringify(main)};`,
        `import { metered, meteredClass } from ${instrument};`,
        ...classes.map((name) => `export const ${name} = meteredClass(entry.${name});`),
        "export default metered(entry.default);",
      ].join("\n");
    }),
  );
}

const REGISTER = "../jobs/index.ts";

/** Millrace's Workers with another register of jobs. @param register the text of a module that exports `plan`. */
export function withRegister(register: string, folder: string): WorkerSource[] {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "register.ts");
  writeFileSync(file, register);
  return configsOf("millrace").map((config, n) =>
    written(config, join(folder, String(n)), (main) =>
      readFileSync(main, "utf8").replace(/from "(\.\.?\/[^"]+)"/g, (_, path: string) => {
        const target = path === REGISTER ? file : join(dirname(main), path);
        return `from ${JSON.stringify(target)}`;
      }),
    ),
  );
}

function written(config: string, folder: string, entryOf: (main: string) => string): WorkerSource {
  const text = readFileSync(config, "utf8");
  const main = join(dirname(config), /^main = "(.+)"$/m.exec(text)?.[1] ?? "index.ts");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "entry.ts"), entryOf(main));
  const copy = join(folder, "wrangler.toml");
  writeFileSync(copy, text.replace(/^main = .+$/m, 'main = "entry.ts"'));
  return { config: copy };
}

/** The Durable Objects that a config says are the Worker's own. */
function classesOf(config: string): string[] {
  const migrations = [...config.matchAll(/new_sqlite_classes = \[([^\]]*)\]/g)];
  return migrations.flatMap(([, list = ""]) =>
    [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name as string),
  );
}

function quoted(url: URL): string {
  return JSON.stringify(fileURLToPath(url));
}
