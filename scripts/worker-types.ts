/** Writes each Worker's environment type from its config, or with `--check` fails when one is out of step. */
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

interface Worker {
  readonly name: string;
  readonly environment: string;
  /** Its own config, then those of the Workers that it calls: their classes type its bindings. */
  readonly configs: readonly string[];
}

const ingest = "wrangler.toml";
const operator = "workers/operator/wrangler.toml";
const query = "workers/query/wrangler.toml";

const workers: readonly Worker[] = [
  { name: "ingest", environment: "IngestEnv", configs: [ingest, query, operator] },
  { name: "operator", environment: "OperatorEnv", configs: [operator] },
  { name: "query", environment: "QueryEnv", configs: [query, operator] },
];

function wranglerTypes({ name, environment, configs }: Worker, extra: readonly string[]) {
  const args = [
    "types",
    `workers/${name}/worker-configuration.d.ts`,
    ...configs.map((config) => `--config=${config}`),
    "--include-runtime=false",
    `--env-interface=${environment}`,
    ...extra,
  ];
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn("wrangler", args, {
      cwd: dirname(dirname(fileURLToPath(import.meta.url))),
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false", NO_COLOR: "1" },
      shell: process.platform === "win32",
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

const check = process.argv.includes("--check");
const results = await Promise.all(workers.map((worker) => wranglerTypes(worker, check ? ["--check"] : [])));
for (const [index, { name }] of workers.entries()) {
  const result = results[index];
  if (!result || result.code === 0) continue;
  process.exitCode = 1;
  console.error(result.output.trim());
  if (check)
    console.error(`The types of the ${name} Worker are not those of its config: npm run types:workers`);
}
