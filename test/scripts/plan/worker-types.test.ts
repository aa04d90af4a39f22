/** The types of a Worker's environment follow from what the plan writes into its config. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { writeConfigs } from "../../../scripts/plan/config-files.ts";
import { configFolder, largePlan } from "./jobs.ts";

it("a bucket and a queue of sinks, and the queues of stages are in the operator Worker's types", {
  timeout: 60_000,
}, async () => {
  const root = configFolder('name = "mine"\ncompatibility_date = "2026-11-01"\n');
  writeConfigs(root, largePlan());
  const types = path.join(root, "types.d.ts");
  const wrangler = path.join(import.meta.dirname, "../../../node_modules/wrangler/bin/wrangler.js");
  const config = `--config=${path.join(root, "workers/operator/wrangler.toml")}`;
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false", CI: "1" };
  const args = [wrangler, "types", types, config, "--include-runtime=false", "--env-interface=OperatorEnv"];
  await new Promise<void>((resolve, reject) =>
    execFile(process.execPath, args, { env, cwd: root }, (error, out, err) =>
      error ? reject(new Error(out + err)) : resolve(),
    ),
  );
  const text = readFileSync(types, "utf8");
  for (const property of ["FILES: R2Bucket", "BILLING: Queue", "QUEUE_SCORE: Queue", "QUEUE_ORDERS: Queue"]) {
    expect(text).toContain(property);
  }
});
