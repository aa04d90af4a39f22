/** Runs the steps of a deployment, or shows them and only builds the Workers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "../plan/failure.ts";
import { saysExists } from "./account.ts";
import type { DeployStep, WorkerStep } from "./steps.ts";
import { complaint, type Deployed, type Wrangler } from "./wrangler.ts";

type Print = (line: string) => void;

/**
 * @throws CommandError at the first step that fails. Each step may be repeated, so running all of them again goes on
 * from there.
 */
export async function runSteps(
  steps: readonly DeployStep[],
  wrangler: Wrangler,
  print: Print,
): Promise<void> {
  let addresses: readonly string[] = [];
  for (const [index, step] of steps.entries()) {
    const number = `${index + 1}/${steps.length}`;
    const result = await wrangler(step.args);
    const exists = step.kind !== "worker" && result.code !== 0 && saysExists(result);
    if (result.code !== 0 && !exists) {
      throw new CommandError(
        `Step ${number} failed (${describe(step)}): ${complaint(result)}\nThe steps before it are done; \`npm run deploy\` goes on from here.`,
      );
    }
    if (step.kind !== "worker") {
      const name = step.kind === "queue" ? step.queue : step.bucket;
      print(`${number} ${step.kind} ${name}: ${exists ? "exists" : "created"}`);
    } else {
      print(`${number} ${step.worker} Worker: deployed${sizeText(result.deployed)}`);
      if (step.worker === "ingest") addresses = result.deployed?.addresses ?? [];
    }
  }
  print(addresses.length > 0 ? `\nDeployed: ${addresses.join(", ")}` : "\nDeployed, to no public address.");
  print(nextStep);
}

/** A deployment without keys refuses everybody; the keys are a secret, which stays over later deployments. */
const nextStep = `Next, unless it is set already: say who may use it. Until then every request is refused.
  npx wrangler secret put KEYS     {"<key>": ["ingest", "read", "admin"]}
  npx wrangler secret put KEYS -c workers/query/wrangler.toml     the same again
or set OPEN = "yes" in wrangler.toml and workers/query/wrangler.toml, which lets everybody in, and deploy again.`;

/** Shows each step with its command; the Workers are really built. @throws CommandError when one does not build. */
export async function showSteps(
  steps: readonly DeployStep[],
  wrangler: Wrangler,
  print: Print,
): Promise<void> {
  print("Dry run: nothing leaves this machine.\n");
  for (const [index, step] of steps.entries()) {
    print(`${index + 1}/${steps.length} ${describe(step)}`);
    print(`    wrangler ${step.args.join(" ")}`);
    if (step.kind === "worker") print(`    builds${sizeText(await build(step, wrangler))}`);
  }
}

/** Builds all Workers: what does not build must not be found out when half of them are deployed. */
export async function buildWorkers(steps: readonly DeployStep[], wrangler: Wrangler): Promise<void> {
  for (const step of steps) if (step.kind === "worker") await build(step, wrangler);
}

async function build(step: WorkerStep, wrangler: Wrangler): Promise<Deployed | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-deploy-"));
  try {
    const result = await wrangler([...step.args, "--dry-run", `--outdir=${folder}`]);
    if (result.code === 0) return result.deployed;
    throw new CommandError(`The ${step.worker} Worker does not build: ${complaint(result)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe(step: DeployStep): string {
  switch (step.kind) {
    case "queue":
      return `create the queue ${step.queue}, unless it exists`;
    case "bucket":
      return `create the bucket ${step.bucket}, unless it exists`;
    case "worker":
      return `deploy the ${step.worker} Worker`;
  }
}

function sizeText(deployed: Deployed | undefined): string {
  if (deployed?.size === undefined) return "";
  const { bytes, gzipBytes } = deployed.size;
  return `, ${kibibytes(bytes)} (${kibibytes(gzipBytes)} gzipped)`;
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
