/** The bench's end of its load generator. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Address, Job, Result } from "./protocol.ts";

export class LoadGenerator {
  readonly #process = child("generator.ts");

  async run<J extends Job>(job: J): Promise<Result<J>> {
    this.#process.send(job);
    return (await answer(this.#process)) as Result<J>;
  }

  stop(): void {
    this.#process.kill();
  }
}

/** Runs `work` against a server that does nothing but answer. */
export async function withSink<T>(work: (to: Address) => Promise<T>): Promise<T> {
  const sink = child("sink.ts");
  try {
    return await work({ host: "127.0.0.1", port: (await answer(sink)) as number });
  } finally {
    sink.kill();
  }
}

function child(file: string): ChildProcess {
  // Advanced: numbers that JSON does not have (Infinity) come through as they are.
  return fork(fileURLToPath(new URL(file, import.meta.url)), { serialization: "advanced" });
}

function answer(from: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null) => reject(new Error(`the load generator ended with ${code}`));
    from.once("exit", died);
    from.once("message", (message: { result?: unknown; error?: string }) => {
      from.off("exit", died);
      if (message.error === undefined) resolve(message.result);
      else reject(new Error(message.error));
    });
  });
}
