/** The `send` command: files of events into a Millrace server, exactly once, even if either side is killed. */
import type { Reject } from "./batches.ts";
import { cutBatches } from "./batches.ts";
import { Client } from "./client.ts";
import { printable, reasonOf, SendError } from "./failure.ts";
import { type Input, openInput, readLines } from "./input.ts";
import { Journal } from "./journal.ts";
import { help, type Options, readOptions, UsageError } from "./options.ts";
import { count, Progress } from "./progress.ts";
import { Sender } from "./sender.ts";

class Interrupted extends SendError {}

async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = readOptions(args, env);
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  if (options.files.includes("-") && process.stdin.isTTY) {
    throw new UsageError("Name a file, or pipe something into it; --help explains the rest.");
  }
  // npm runs scripts in the project's folder; names are meant from where it was called.
  const folder = (env.npm_lifecycle_event === "send" && env.INIT_CWD) || process.cwd();
  const inputs = await Promise.all(options.files.map((name) => openInput(name, folder)));
  const journal = await openJournal(options, inputs);
  try {
    return await send(options, inputs, journal);
  } catch (thrown) {
    journal.close();
    throw withAdvice(thrown, journal.canResume);
  }
}

async function send(options: Options, inputs: readonly Input[], journal: Journal): Promise<number> {
  const { server, source, key, replay, patience, concurrency, resendAfter } = options;
  const stop = new AbortController();
  const meter = { bytes: 0 };
  const { start } = journal.past;
  const end = { file: inputs.length, byte: 0, line: 1 };
  const batches = cutBatches(readLines(inputs, start, meter), options, start, end, meter);
  const client = new Client({
    ...{ server, source, key, replay, patience },
    producer: journal.producer,
    signal: stop.signal,
    onRetry: (reason) => {
      sender.totals.retries++;
      progress.notice(`${server}: ${reason}; trying again.`);
    },
  });
  const sender = new Sender(batches, client, journal, { concurrency, resendAfter, stop });
  const progress = new Progress(sender.totals, sizeOf(inputs));
  if (journal.resumed) progress.notice(`Resuming: ${count(journal.past.applied, "event")} applied earlier.`);
  const release = stopOnSignals(stop);
  try {
    await sender.run();
  } finally {
    release();
    progress.stop();
  }
  journal.finish();

  const { applied, earlier, requests, retries, rejected } = sender.totals;
  const sent = `${count(applied, "event")} applied by ${server} (source ${source})`;
  const before = earlier > 0 ? `${count(earlier)} of them earlier, ` : "";
  const effort = `${count(requests, "request")}, ${count(retries)} retries, ${progress.seconds.toFixed(1)} s`;
  process.stdout.write(`${sent}: ${before}${effort}, ${count(Math.round(progress.rate))} events/s.\n`);
  process.stdout.write(describeRejects(inputs, rejected, sender.totals.rejects));
  return options.strict && rejected > 0 ? 1 : 0;
}

async function openJournal(options: Options, inputs: readonly Input[]): Promise<Journal> {
  const { server, source, key, format, batch, replay } = options;
  const stamps = inputs.flatMap((input) => input.stamp ?? []);
  if (stamps.length === inputs.length) {
    const endpoint = `${server}/v1/sources/${encodeURIComponent(source)}`;
    const settings = { format, batch, replay };
    return await Journal.open(options.journal, { endpoint, key, inputs: stamps, settings }, options.resume);
  }
  if (options.resume === "must")
    throw new SendError("A pipe cannot be read again, so there is nothing to resume.");
  return Journal.inMemory();
}

function sizeOf(inputs: readonly Input[]): number | undefined {
  if (inputs.some((input) => input.stamp === undefined)) return undefined;
  return inputs.reduce((sum, input) => sum + (input.stamp?.size ?? 0), 0);
}

function describeRejects(inputs: readonly Input[], rejected: number, rows: readonly Reject[]): string {
  if (rejected === 0) return "";
  const shown = rows.map(({ file, line, error }) => `  ${inputs[file]?.name}:${line}: ${printable(error)}`);
  const more = rejected > shown.length ? [`  and ${count(rejected - shown.length)} more`] : [];
  return `${[`${count(rejected)} rejected:`, ...shown, ...more].join("\n")}\n`;
}

/** The first signal ends the send in order, a second one at once. */
function stopOnSignals(stop: AbortController): () => void {
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Interrupted("Stopped."));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return () => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
}

/** Adds how to go on to what went wrong. */
function withAdvice(thrown: unknown, canResume: boolean): unknown {
  const advice = canResume
    ? "The same command goes on where this one ended."
    : "Standard input cannot be resumed: sending it again counts again what was already accepted.";
  if (thrown instanceof Interrupted) return new Interrupted(`${thrown.message} ${advice}`);
  if (!(thrown instanceof SendError)) return thrown;
  // Advice to begin anew comes with its own reason.
  return thrown.message.includes("--fresh") ? thrown : new SendError(`${thrown.message} ${advice}`);
}

try {
  process.exitCode = await main(process.argv.slice(2), process.env);
} catch (thrown) {
  process.stderr.write(
    `${thrown instanceof SendError ? thrown.message : `send failed: ${reasonOf(thrown)}.`}\n`,
  );
  process.exitCode = thrown instanceof Interrupted ? 130 : thrown instanceof UsageError ? 2 : 1;
}
// An open standard input would keep the process alive.
process.stdin.destroy();
