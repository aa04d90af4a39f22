/** Logs: what Workers and the local runtime say, each line marked as theirs and repeated ones counted. */
import { Log, LogLevel } from "miniflare";

export interface WorkerLog {
  readonly level: string;
  readonly message: string;
}

const REPEAT_MS = 2_000;

/**
 * Writes logs to `write`, a line at a time, behind a mark. A message that is repeated within two seconds is counted and
 * the count written once they have passed: a failure that hits every message must not hide everything else.
 */
export function logWriter(
  write: (line: string) => void,
  now: () => number = Date.now,
): (log: WorkerLog) => void {
  let last = "";
  let repeats = 0;
  let since = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (repeats > 0) write(`  ! (${repeats} more of the same)`);
    repeats = 0;
  };
  return ({ level, message }) => {
    const text = message.trimEnd();
    // The runtime's notes to its makers: an alarm that was set anew while it was due, say.
    if (text.startsWith("NOSENTRY")) return;
    if (text === last && now() - since < REPEAT_MS) {
      repeats++;
      timer ??= setTimeout(tell, REPEAT_MS).unref();
      return;
    }
    tell();
    last = text;
    since = now();
    const mark = level === "error" || level === "warn" ? "!" : "·";
    for (const line of text.split("\n")) write(`  ${mark} ${line}`);
  };
}

/** Passes what Miniflare itself warns of on, and keeps its chatter (requests, batches) to itself. */
export class RuntimeLog extends Log {
  readonly #onLog: (log: WorkerLog) => void;

  constructor(onLog: (log: WorkerLog) => void) {
    super(LogLevel.WARN);
    this.#onLog = onLog;
  }

  override logWithLevel(level: LogLevel, message: string): void {
    if (level <= LogLevel.WARN && level !== LogLevel.NONE) this.#onLog({ level: "warn", message });
  }
}
