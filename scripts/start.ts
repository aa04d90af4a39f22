/** The `start` command: the deployment's Workers on this machine, fed by the terminal, a TCP port and HTTP. */
import path from "node:path";
import type { Runtime } from "./local/runtime.ts";
import type { Register } from "./local/workers.ts";
import { reasonOf } from "./send/failure.ts";
import { banner } from "./start/banner.ts";
import { BucketFiles } from "./start/bucket-files.ts";
import { StartError, UsageError } from "./start/failure.ts";
import { chooseJob, firstSource, variablesOf } from "./start/jobs.ts";
import { followLastPlan } from "./start/last-plan.ts";
import { Lineage } from "./start/lineage.ts";
import { help, readOptions, stateDirOf } from "./start/options.ts";
import { checkPort, portError } from "./start/ports.ts";
import { Session } from "./start/session.ts";
import { aborted, onSignals } from "./start/signals.ts";
import { StateFolder } from "./start/state-folder.ts";

const write = (text: string): void => void process.stdout.write(text);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  // npm runs scripts in the project's folder; a relative folder is meant from where it was called.
  const folder = (env.npm_lifecycle_event !== undefined && env.INIT_CWD) || process.cwd();
  const options = readOptions(args, env, folder);
  if (options.help) {
    write(help);
    return 0;
  }
  const { port, tcpPort } = options;
  const job = await chooseJob(options.job);
  const { register } = job;
  const lineage = new Lineage(job.plan, options.source ?? firstSource(job));
  const stateDir = options.stateDir ?? stateDirOf(register && job.name);

  const stop = onSignals(() => process.exit(130), env.npm_lifecycle_event !== undefined);
  const state = await StateFolder.open(stateDir);
  try {
    followLastPlan(stateDir, job.plan);
    const vars = { OPEN: "yes", ...variablesOf(job, env) };
    await run({ port, tcpPort, stateDir, register, vars, lineage }, stop);
  } finally {
    state.close();
  }
  write("Stopped. The next npm start goes on with these counts.\n");
  return 0;
}

interface Setting {
  readonly port: number;
  readonly tcpPort: number;
  readonly stateDir: string;
  readonly register: Register | undefined;
  readonly vars: Readonly<Record<string, string>>;
  readonly lineage: Lineage;
}

/** From the first check of a port to the last count. @throws StartError when something accepted was lost. */
async function run(setting: Setting, stop: AbortSignal): Promise<void> {
  const { stateDir, lineage } = setting;
  await checkPort("PORT", setting.port);
  await checkPort("TCP_PORT", setting.tcpPort);
  const runtime = await startWorkers(setting);
  try {
    const files = filesOf(runtime, setting);
    const session = new Session(runtime, lineage, write);
    const tcpPort = await session.inputs.listen(setting.tcpPort).catch((thrown: NodeJS.ErrnoException) => {
      throw portError("TCP_PORT", setting.tcpPort, thrown.code ?? thrown.message);
    });
    write(banner({ url: runtime.url, tcpPort, stateDir, filesDir: files?.folder, lineage }));
    session.inputs.read(process.stdin, () => {
      if (process.stdin.isTTY) write("No more typing; the ports stay open until Ctrl-C.\n");
    });
    await aborted(stop);
    write("\nStopping: what was accepted is counted to the end. Ctrl-C again stops at once.\n");
    const left = await session.stop();
    await files?.stop();
    if (left !== undefined) throw new StartError(`Stopped, but ${left}.`);
  } finally {
    await runtime.dispose();
  }
}

/** The copy of what sinks write to buckets, going on; undefined where there are none. */
function filesOf(runtime: Runtime, { stateDir, lineage }: Setting): BucketFiles | undefined {
  const buckets = lineage.buckets.map((binding) => runtime.bucket(binding));
  if (buckets.length === 0) return undefined;
  const files = new BucketFiles(path.join(stateDir, "files"), buckets);
  files.start();
  return files;
}

async function startWorkers({ stateDir, port, register, vars }: Setting): Promise<Runtime> {
  // Loaded late: wrangler and Miniflare take longer than all checks before them.
  const [{ startRuntime }, { logWriter }, { WorkerError }] = await Promise.all([
    import("./local/runtime.ts"),
    import("./local/logs.ts"),
    import("./local/workers.ts"),
  ]);
  try {
    const onLog = logWriter(complain);
    return await startRuntime({
      stateDir,
      port,
      vars,
      ownSignals: true,
      onLog,
      ...(register && { register }),
    });
  } catch (thrown) {
    if (thrown instanceof WorkerError) throw new StartError(`Not started: ${thrown.message}.`);
    if ((thrown as { code?: unknown }).code === "ERR_ADDRESS_IN_USE")
      throw portError("PORT", port, "EADDRINUSE");
    throw new StartError(`The Workers could not be started: ${reasonOf(thrown)}`);
  }
}

// Whoever read the output may be gone; the server is not for him alone.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
try {
  process.exit(await main(process.argv.slice(2), process.env));
} catch (thrown) {
  complain(thrown instanceof StartError ? thrown.message : `start failed: ${reasonOf(thrown)}.`);
  process.exit(thrown instanceof UsageError ? 2 : 1);
}
