/** Signals: the first asks to stop in order, a second one to stop at once. */

/**
 * One Ctrl-C may come twice: from the terminal, which signals the whole group, and from npm, which passes on what it
 * was sent itself. Nobody presses a key twice so fast.
 */
const SAME_PRESS_MS = 300;

const LOOK_AT_PARENT_MS = 250;

/**
 * @param onSecond called by a second signal.
 * @param viaShell there is a shell between npm and this process. Some shells do not pass signals on but die of them, as
 * Debian's does: then the shell's end is the signal.
 * @returns aborted by the first signal.
 */
export function onSignals(onSecond: () => void, viaShell: boolean): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (!controller.signal.aborted) {
      first = Date.now();
      controller.abort();
    } else if (Date.now() - first > SAME_PRESS_MS) onSecond();
  };
  // A terminal that is closed hangs up.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  if (viaShell) {
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      onSignal();
    }, LOOK_AT_PARENT_MS).unref();
  }
  return controller.signal;
}

/** Waits for the signal. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
