/**
 * The `dev` command: `wrangler dev` with all Workers of the deployment, which reloads them when their code changes.
 *
 * A reload loses what is in the local queue; `npm start` is the one that loses nothing.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const configs = ["wrangler.toml", "workers/operator/wrangler.toml", "workers/query/wrangler.toml"];

/** What wrangler needs of the environment. Not all of it, since what it gets is given to the Workers as well: see below. */
const PASSED =
  /^(PATH|HOME|TERM|LANG|TZ|NO_COLOR|USERPROFILE|APPDATA|LOCALAPPDATA|SystemRoot|TEMP|TMP|XDG_\w+|WRANGLER_\w+)$/i;

const passed = Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED.test(name)));
const child = spawn(
  "wrangler",
  [
    "dev",
    ...configs.map((config) => `--config=${config}`),
    `--port=${process.env.PORT || "8787"}`,
    `--persist-to=${process.env.STATE_DIR || ".millrace/dev"}`,
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
    // `--var` and `--env-file` reach the first Worker only; this way reaches all, and each of them asks for OPEN.
    env: { ...passed, CLOUDFLARE_INCLUDE_PROCESS_ENV: "true", OPEN: "yes", WRANGLER_SEND_METRICS: "false" },
  },
);
// The terminal signals wrangler too; this process only has to outlive it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", (error) => {
  console.error(`wrangler could not be started: ${error.message}`);
  process.exitCode = 1;
});
child.on("exit", (code) => {
  process.exitCode = code ?? 0;
});
