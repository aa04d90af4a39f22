/** Ports: says in time, and by name, that one is taken. */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { StartError } from "./failure.ts";
import { HOST } from "./inputs.ts";

/** What was just stopped or killed may hold its port for a moment longer. */
const PATIENCE_MS = 1_500;

/** Waits until the port is free. @throws StartError that names the variable, when it stays taken. */
export async function checkPort(variable: string, port: number): Promise<void> {
  if (port === 0) return;
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(100)) {
    const code = await tryPort(port);
    if (code === undefined) return;
    if (code === "EADDRINUSE" && Date.now() < deadline) continue;
    throw portError(variable, port, code);
  }
}

export function portError(variable: string, port: number, code: string): StartError {
  const reason =
    code === "EADDRINUSE"
      ? "is taken by another program"
      : code === "EACCES"
        ? "may not be used without more rights"
        : `cannot be used (${code})`;
  return new StartError(
    `${variable}: port ${port} ${reason}; set ${variable} to another port, or to 0 for any free one.`,
  );
}

/** @returns why the port cannot be used. */
function tryPort(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host: HOST }, () => server.close(() => resolve(undefined)));
  });
}
