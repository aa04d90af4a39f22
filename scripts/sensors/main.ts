/** The `sensors` command: a simulated city sends its readings, and what the job makes of them is held to a recount. */
import { setTimeout as sleep } from "node:timers/promises";
import { districts } from "../../workers/jobs/sensors/districts.ts";
import { reasonOf } from "../send/failure.ts";
import { City } from "./city.ts";
import { SensorsError, UsageError } from "./failure.ts";
import { Hook } from "./hook.ts";
import type { Options } from "./options.ts";
import { help, readOptions } from "./options.ts";
import { Recount } from "./recount.ts";
import { delaysText, sentText, verdictText } from "./report.ts";
import type { Sent } from "./senders.ts";
import { sendFast, sendLive } from "./senders.ts";
import { Server } from "./server.ts";
import { sendSingle } from "./single.ts";
import { judge } from "./verdict.ts";
import { Watch } from "./watch.ts";

const WINDOW_MS = 60_000;
/** So that the first second begins after everything is ready; and, with --fast, the last window is over before now. */
const LEAD_MS = 1_500;
const BEHIND_MS = 2 * WINDOW_MS;

async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = readOptions(args, env);
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const server = new Server(options.server, options.key);
  await server.check();
  const hook = options.hookPort === undefined ? undefined : new Hook(options.hookSecret);
  if (hook !== undefined)
    say(`Taking the webhook's alerts at port ${await hook.listen(options.hookPort ?? 0)}.`);
  try {
    return await simulate(options, server, hook);
  } finally {
    await hook?.close();
  }
}

async function simulate(options: Options, server: Server, hook: Hook | undefined): Promise<number> {
  const { mode, seconds } = options;
  const start = startOf(options);
  await mustBeQuiet(server, start);
  const before = await server.raised();
  const city = new City(options);
  const recount = new Recount({ limits: districts });
  const planned = [...city.episodes.values()].filter(({ alerts }) => alerts).length;
  say(
    `${options.sensors} sensors, ${city.gateways} gateways, ${seconds} s from ${new Date(start).toISOString()}, seed ${options.seed}: ${city.episodes.size} sensors with an episode, ${planned} to be alerted.`,
  );
  const watch = new Watch(server, start);
  watch.start();
  try {
    const sent = await send(options, { city, server, recount, start });
    say(sentText(sent, recount.readings, server.retries));
    say(
      mode === "fast"
        ? "Waiting until all windows are final."
        : "Waiting a minute, until all windows are final.",
    );
    const verdict = await judge({ server, recount, watch, hook, start, before });
    await watch.stop();
    const raised = verdict.expected.filter(({ kind }) => kind === "raised").length;
    const differences = [...verdict.differences];
    // Measured less often than each second, an episode is not what was planned.
    if (mode !== "single" && raised !== planned)
      differences.push(`the recount has ${raised} alerts, ${planned} were planned`);
    if (hook !== undefined && hook.forged > 0)
      differences.push(`${hook.forged} posts of the webhook were not signed with ALERTS_SECRET`);
    if (mode !== "fast") say(delaysText(verdict.seen));
    say(verdictText({ ...verdict, differences }, hook));
    return differences.length === 0 ? 0 : 1;
  } finally {
    await watch.stop();
  }
}

interface Setting {
  readonly city: City;
  readonly server: Server;
  readonly recount: Recount;
  readonly start: number;
}

function send({ mode, seconds, connections, server: url, key }: Options, setting: Setting): Promise<Sent> {
  if (mode === "single") return sendSingle({ ...setting, seconds, connections, url, key });
  const sending = { ...setting, seconds, connections, run: `sensors-${Date.now().toString(36)}` };
  return mode === "fast" ? sendFast(sending) : sendLive(sending);
}

/** On the second, so that it is read easily. */
function startOf({ mode, seconds }: Options): number {
  const start = mode === "fast" ? Date.now() - seconds * 1_000 - BEHIND_MS : Date.now() + LEAD_MS;
  return Math.ceil(start / 1_000) * 1_000;
}

/** @throws SensorsError when the windows of this run hold readings of somebody else. */
async function mustBeQuiet(server: Server, start: number): Promise<void> {
  const rows = await server.windows(start - WINDOW_MS + 1, start + 86_400_000);
  // A window of a run that has ended has none of this run's readings unless it reaches into it.
  if (rows.some((row) => row.start + WINDOW_MS > start))
    throw new SensorsError(
      "the server has readings of the last minute, which would be in the same windows; wait a minute, or start it with a new STATE_DIR",
    );
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2), process.env);
} catch (thrown) {
  const known = thrown instanceof SensorsError;
  process.stderr.write(`sensors: ${known ? thrown.message : reasonOf(thrown)}\n`);
  if (!known) process.stderr.write(`${(thrown as Error).stack ?? ""}\n`);
  process.exitCode = thrown instanceof UsageError ? 2 : 1;
}
// A connection that is kept alive is nothing to wait for.
await sleep(0);
process.exit();
