/** Inspector: Millrace's Workers with V8's inspector on, which is slower, so that nothing else is measured with it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { loadWorker, type Register, type WorkerSource } from "../../local/workers.ts";
import type { Address } from "../load/protocol.ts";

const HOST = "127.0.0.1";
const VIEW_TOTAL = "/v1/views/page-views?total=1";

export interface Inspected {
  readonly address: Address;
  /** The code of a Worker, with its source map. */
  script(worker: string): string;
  attach(worker: string): Promise<Session>;
  total(): Promise<number>;
}

/** Runs `work` against Workers that can be inspected. @param register other jobs than the deployment's. */
export async function inspected<T>(
  sources: readonly WorkerSource[],
  work: (them: Inspected) => Promise<T>,
  register?: Register,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const overrides = {
    vars: { OPEN: "yes" },
    control: "",
    ...(register === undefined ? {} : { register }),
  };
  const workers = await Promise.all(sources.map((source) => loadWorker(source, overrides)));
  const [first, ...rest] = workers;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: HOST,
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      inspectorHost: HOST,
      inspectorPort: 0,
      resourcePersistencePath: folder,
      workers: [{ ...first, unsafeDirectSockets: [{ host: HOST }] } as V4WorkerOptions, ...rest],
    }),
  );
  const sessions: Session[] = [];
  try {
    await miniflare.ready;
    const url = await miniflare.unsafeGetDirectURL(first?.name);
    const inspector = await miniflare.getInspectorURL();
    const total = async () =>
      ((await (await fetch(new URL(VIEW_TOTAL, url))).json()) as { total: number }).total;
    await total();
    return await work({
      address: { host: url.hostname, port: Number(url.port) },
      total,
      script: (name) =>
        String((workers.find((worker) => worker.name === name) as { script?: unknown }).script),
      async attach(name) {
        const session = await Session.open(new URL(`/core:user:${name}`, inspector));
        sessions.push(session);
        return session;
      },
    });
  } finally {
    for (const session of sessions) session.close();
    await miniflare.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One isolate's inspector, by the Chrome DevTools Protocol. */
export class Session {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
      if (id === undefined) return;
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  static async open(url: URL): Promise<Session> {
    url.protocol = "ws:";
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", () => reject(new Error(`no inspector at ${url}`)), { once: true });
    });
    return new Session(socket);
  }

  call<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, (result) => resolve(result as T));
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}
