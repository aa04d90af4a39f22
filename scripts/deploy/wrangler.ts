/** Runs wrangler so that it asks nothing and reports nothing to its makers, and reads what it says about its work. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";

export interface WranglerResult {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams, as they came. */
  readonly output: string;
  /** What a deploy says of itself. */
  readonly deployed?: Deployed;
}

export interface Deployed {
  /** Where it can be reached: URLs, or domains and routes with a remark. */
  readonly addresses: readonly string[];
  readonly size?: { readonly bytes: number; readonly gzipBytes: number };
}

export type Wrangler = (args: readonly string[]) => Promise<WranglerResult>;

/** The project's own wrangler, run in its top folder by the Node that runs this. */
export function wranglerIn(root: string): Wrangler {
  return async (args) => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-wrangler-"));
    const records = join(folder, "records.ndjson");
    try {
      const result = await run(root, args, {
        ...process.env,
        ...environment,
        WRANGLER_OUTPUT_FILE_PATH: records,
      });
      const deployed = readDeployed(records);
      return deployed === undefined ? result : { ...result, deployed };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

const environment = {
  // wrangler never asks in CI, where nobody would answer.
  CI: "1",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
  // With the banner goes the look for a newer version, which needs the network.
  WRANGLER_HIDE_BANNER: "true",
  NO_COLOR: "1",
};

function run(root: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<WranglerResult> {
  return new Promise((resolve, reject) => {
    const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
    const child = spawn(process.execPath, [wrangler, ...args], {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      output += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: plain(stdout), output: plain(output) }));
  });
}

/** Build errors come in colours even where NO_COLOR forbids them. */
const plain = stripVTControlCharacters;

/** wrangler's records are lines of JSON; the one about a deploy names its addresses and its bundle's size. */
function readDeployed(records: string): Deployed | undefined {
  let text: string;
  try {
    text = readFileSync(records, "utf8");
  } catch {
    return undefined;
  }
  for (const line of text.split("\n").filter(Boolean)) {
    const record = JSON.parse(line) as DeployRecord;
    if (record.type !== "deploy") continue;
    const size = record.bundle_size;
    return {
      // Among the targets are also sentences such as "Producer for …".
      addresses: (record.targets ?? []).filter((target) => /^\S+\.\S+( \(.*\))?$/.test(target)),
      ...(size && { size: { bytes: size.raw_bytes, gzipBytes: size.gzip_bytes } }),
    };
  }
  return undefined;
}

interface DeployRecord {
  readonly type: string;
  readonly targets?: readonly string[];
  readonly bundle_size?: { readonly raw_bytes: number; readonly gzip_bytes: number };
}

/** The reason in what wrangler printed, without its advice about logs and bug reports. */
export function complaint({ code, output }: WranglerResult): string {
  const start = output.indexOf("[ERROR]");
  const text = start < 0 ? output : output.slice(start + "[ERROR]".length);
  const lines = text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  const end = lines.findIndex((line) =>
    /If you think this is a bug|Logs were written|rerun this command/.test(line),
  );
  const kept = (end < 0 ? lines : lines.slice(0, end)).filter((line) => !/^\s+at /.test(line)).slice(0, 15);
  return kept.join("\n").trim() || `it ended with exit code ${code} and no word`;
}
