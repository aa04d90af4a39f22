/** The command as a user runs it, with the real wrangler: dry, and against a fake of Cloudflare. */
import { execFile } from "node:child_process";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { deploySteps } from "../../../scripts/deploy/steps.ts";
import { queueNamesOf } from "../../../scripts/plan/configs.ts";
import { plan } from "../../../workers/jobs/index.ts";
import { startFakeCloudflare } from "./fake-cloudflare.ts";

// Nothing here may reach an account, whoever is logged in: port 9 answers nobody.
const nowhere = { CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9", CLOUDFLARE_API_TOKEN: "none" };
// Nor is there a deployment to compare with.
const nothingRuns = { MILLRACE_URL: undefined };

function deploy(args: string[], env: NodeJS.ProcessEnv = nowhere) {
  const script = path.join(import.meta.dirname, "../../../scripts/deploy.ts");
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
    execFile(
      process.execPath,
      [script, ...args],
      { env: { ...process.env, ...nothingRuns, ...env } },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  );
}

describe("the command", { timeout: 300_000 }, () => {
  it("builds all Workers when it runs dry, without an account or a network", async () => {
    const { code, stdout, stderr } = await deploy(["--dry-run"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const steps = deploySteps(plan, new Set());
    expect(steps.length).toBeGreaterThanOrEqual(5);
    expect(stdout.match(/(?<=^ {4}wrangler ).*/gm)).toEqual(steps.map(({ args }) => args.join(" ")));
    expect(stdout.match(/builds, [\d.]+ KiB \([\d.]+ KiB gzipped\)/g)).toHaveLength(3);
  });

  it("says in a line that it cannot reach Cloudflare", async () => {
    const { code, stderr } = await deploy([]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^wrangler cannot tell who you are: .*\n$/);
  });

  it("deploys, and creates what is missing, with the wrangler that is installed", async () => {
    const cloudflare = await startFakeCloudflare("other", "millrace-clicks");
    const env = {
      CLOUDFLARE_API_BASE_URL: cloudflare.url,
      CLOUDFLARE_API_TOKEN: "fake",
      CLOUDFLARE_ACCOUNT_ID: "account",
    };
    const { code, stdout, stderr } = await deploy([], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("queue millrace-clicks-dead: created\n");
    expect(stdout).not.toContain("queue millrace-clicks:");
    expect(stdout).toContain("\nDeployed: https://millrace.example.workers.dev\n");
    const needed = queueNamesOf(plan).flatMap(({ queue, deadLetterQueue }) => [queue, deadLetterQueue]);
    expect([...cloudflare.queues].sort()).toEqual([...needed, "other"].sort());
    expect(cloudflare.assets).toContain("/index.html");
    expect(cloudflare.assets.filter((path) => !/^\/(index\.html|assets\/[\w.-]+)$/.test(path))).toEqual([]);
    expect(cloudflare.changes).toContain("POST /workers/assets/upload");
    // Triggers are set even where there are none: those of an earlier deployment would stay.
    expect(cloudflare.changes.filter((change) => change.startsWith("PUT "))).toEqual([
      "PUT /workers/scripts/millrace-operator",
      "PUT /workers/scripts/millrace-operator/schedules",
      "PUT /workers/scripts/millrace-query",
      "PUT /workers/scripts/millrace",
    ]);
    const consumed = cloudflare.changes.filter((change) => change.endsWith("/consumers"));
    expect(consumed.sort()).toEqual(needed.map((queue) => `POST /queues/${queue}/consumers`).sort());
  });
});
