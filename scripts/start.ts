/** The `start` command: the deployment's Workers on this machine, fed by the terminal, a TCP port and HTTP. */
import type { Plan } from "../src/plan.ts";
import type { Runtime } from "./local/runtime.ts";
import { reasonOf } from "./send/failure.ts";
import { banner } from "./start/banner.ts";
import { StartError, UsageError } from "./start/failure.ts";
import { checkJob, Lineage } from "./start/lineage.ts";
import { help, type Options, readOptions } from "./start/options.ts";
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
  const plan = await loadPlan();
  const lineage = new Lineage(plan, options.source);
  if (options.job !== undefined) checkJob(plan, options.job);

  const stop = onSignals(() => process.exit(130), env.npm_lifecycle_event !== undefined);
  const state = await StateFolder.open(options.stateDir);
  try {
    await run(options, lineage, stop);
  } finally {
    state.close();
  }
  write("Stopped. The next npm start goes on with these counts.\n");
  return 0;
}

/** From the first check of a port to the last count. @throws StartError when something accepted was lost. */
async function run({ port, ...options }: Options, lineage: Lineage, stop: AbortSignal): Promise<void> {
  await checkPort("PORT", port);
  await checkPort("TCP_PORT", options.tcpPort);
  const runtime = await startWorkers(options.stateDir, port);
  try {
    const session = new Session(runtime, lineage, write);
    const tcpPort = await session.inputs.listen(options.tcpPort).catch((thrown: NodeJS.ErrnoException) => {
      throw portError("TCP_PORT", options.tcpPort, thrown.code ?? thrown.message);
    });
    write(banner({ url: runtime.url, tcpPort, stateDir: options.stateDir, lineage }));
    session.inputs.read(process.stdin, () => {
      if (process.stdin.isTTY) write("No more typing; the ports stay open until Ctrl-C.\n");
    });
    await aborted(stop);
    write("\nStopping: what was accepted is counted to the end. Ctrl-C again stops at once.\n");
    const left = await session.stop();
    if (left !== undefined) throw new StartError(`Stopped, but ${left}.`);
  } finally {
    await runtime.dispose();
  }
}

/** The registered jobs, run as they are: a mistake in one is the user's, so it is said, not thrown. */
async function loadPlan(): Promise<Plan> {
  try {
    return (await import("../workers/jobs/index.ts")).plan;
  } catch (thrown) {
    throw new StartError(`The jobs cannot be loaded: ${reasonOf(thrown)}`);
  }
}

async function startWorkers(stateDir: string, port: number): Promise<Runtime> {
  // Loaded late: wrangler and Miniflare take longer than all checks before them.
  const [{ startRuntime }, { logWriter }, { WorkerError }] = await Promise.all([
    import("./local/runtime.ts"),
    import("./local/logs.ts"),
    import("./local/workers.ts"),
  ]);
  try {
    return await startRuntime({ stateDir, port, ownSignals: true, onLog: logWriter(complain) });
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
