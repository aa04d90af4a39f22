/**
 * Runtime: the deployment's Workers in one local workerd, from their own wrangler configs, for `npm start`, tests and benches.
 *
 * What survives a stop is what is in the state folder. The queue is not: it is kept in memory. So `drain` before
 * `dispose`, or what was accepted and not yet applied is lost, as in a crash.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CoreHeaders, convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import type { Plan } from "../../src/plan.ts";
import { type DrainOptions, type DrainPorts, drain, type Remainder } from "./drain.ts";
import { CONTROL_HEADER, type StoredObject } from "./instruments.ts";
import { RuntimeLog, type WorkerLog } from "./logs.ts";
import { deployment, loadWorker, type Register, type WorkerSource } from "./workers.ts";

export interface RuntimeOptions {
  /** Absolute. Without it a temporary folder, which outlives `restart` and is removed by `dispose`. */
  readonly stateDir?: string;
  /** 0, the default, is any free port; `restart` keeps it. */
  readonly port?: number;
  /** The Workers; the first is the one that is exposed. By default the three of this project. */
  readonly workers?: readonly WorkerSource[];
  /** Jobs to run instead of the registered ones. */
  readonly register?: Register;
  /** Values of variables, for all Workers, over those in the configs. By default the server is open. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Seconds that queues wait for a batch to fill; "config" for what the configs say. 0 by default: a local queue saves nothing by waiting. */
  readonly queueWait?: number | "config";
  /** Also gives the exposed Worker a socket of its own, which is faster than the runtime's: see `directUrl`. */
  readonly direct?: boolean;
  /** The caller stops the runtime on signals himself; otherwise Miniflare ends the process at once. */
  readonly ownSignals?: boolean;
  /** What Workers log, and what the runtime warns of. Dropped by default. */
  readonly onLog?: (log: WorkerLog) => void;
}

/** A bucket of the operator Worker. */
export interface LocalBucket {
  list(): Promise<readonly StoredObject[]>;
  /** The whole content; undefined when there is no such object. */
  read(key: string): Promise<Uint8Array | undefined>;
}

export interface Runtime {
  readonly url: URL;
  /** The exposed Worker's own socket, with `direct`; otherwise `url`. */
  readonly directUrl: URL;
  /** A request to the exposed Worker. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The bindings of a Worker, by its name in its config. */
  bindings<Env>(worker: string): Promise<Env>;
  /** A bucket that sinks write to, by its binding. */
  bucket(binding: string): LocalBucket;
  /** For what this interface does not cover: evicting an object, looking into its storage. Replaced by `restart`. */
  readonly miniflare: Miniflare;
  /**
   * Stops taking events (503) and waits until everything accepted is applied, by the last operator behind it, or
   * `signal` is aborted. Pull sources go on all the while; what sinks gather for a batch and timers that are not due
   * are in the state folder, and not waited for.
   *
   * @returns what is left: zeros, unless it was aborted. @throws when the Workers do not answer.
   */
  drain(options?: DrainOptions): Promise<Remainder>;
  /** Ends workerd and starts it again on the same state and port. Nothing is drained, as in a crash. */
  restart(): Promise<void>;
  dispose(): Promise<void>;
}

const HOST = "127.0.0.1";
const ANSWER_MS = 10_000;

/** @throws WorkerError for a mistake in a Worker; MiniflareCoreError, such as `ERR_ADDRESS_IN_USE`. */
export async function startRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { workers: sources = deployment, vars = { OPEN: "yes" }, queueWait = 0, onLog = () => {} } = options;
  runWorkerdAlone();
  const control = randomUUID();
  const { register } = options;
  const overrides = {
    vars,
    control,
    ...(queueWait !== "config" && { queueWait }),
    ...(register === undefined ? {} : { register }),
  };
  const workers = await Promise.all(sources.map((source) => loadWorker(source, overrides)));
  const instrumented = (kind: string) => workers.find((_, i) => sources[i]?.instrument === kind)?.name;
  const [exposed, ...behind] = workers;
  if (exposed === undefined) throw new RangeError("a runtime needs at least one Worker");

  const temporary =
    options.stateDir === undefined ? mkdtempSync(join(tmpdir(), "millrace-state-")) : undefined;
  const stateDir = options.stateDir ?? temporary ?? "";
  let port = options.port ?? 0;

  async function start(): Promise<{ miniflare: Miniflare; url: URL; directUrl: URL }> {
    const direct: Partial<V4WorkerOptions> = options.direct ? { unsafeDirectSockets: [{ host: HOST }] } : {};
    const before = listenersOf();
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: HOST,
        port,
        // Otherwise it is fetched from the network.
        cf: false,
        telemetry: { enabled: false },
        resourcePersistencePath: stateDir,
        log: new RuntimeLog(onLog),
        handleStructuredLogs: onLog,
        workers: [{ ...exposed, ...direct } as V4WorkerOptions, ...behind],
      }),
    );
    try {
      if (options.ownSignals) keepOnly(before);
      const url = await miniflare.ready;
      if (options.ownSignals) keepOnly(before);
      port = Number(url.port);
      const directUrl = options.direct ? await miniflare.unsafeGetDirectURL(exposed?.name) : url;
      return { miniflare, url, directUrl };
    } catch (thrown) {
      await miniflare.dispose().catch(() => {});
      throw thrown;
    }
  }

  async function call(name: string, path: string, question?: unknown) {
    // Not `getWorker`, whose proxy may block this thread, signals included, for as long as workerd does not answer.
    const response = await running.miniflare.dispatchFetch(`http://local${path}`, {
      headers: { [CoreHeaders.ROUTE_OVERRIDE]: name, [CONTROL_HEADER]: control },
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(question === undefined ? {} : { method: "POST", body: JSON.stringify(question) }),
    });
    if (!response.ok && response.status !== 404) {
      throw new Error(`${name} answered ${response.status} to the local runtime`);
    }
    return response;
  }

  async function ask<State>(kind: string, path: string, question?: unknown): Promise<State | undefined> {
    const name = instrumented(kind);
    return name === undefined ? undefined : ((await (await call(name, path, question)).json()) as State);
  }

  function bucket(binding: string): LocalBucket {
    const name = instrumented("withLedger");
    if (name === undefined) throw new RangeError("this runtime has no operator Worker");
    const path = `/buckets/${encodeURIComponent(binding)}`;
    return {
      list: async () => (await (await call(name, path)).json()) as StoredObject[],
      async read(key) {
        const response = await call(name, `${path}/${encodeURIComponent(key)}`);
        return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
      },
    };
  }

  /** What the cron trigger does on the platform. */
  async function startSources(): Promise<void> {
    await ask("withLedger", "/scheduled");
  }

  const ports: DrainPorts = {
    valve: () => ask("withValve", "/close"),
    ledger: (shards) => ask("withLedger", "/", shards),
  };

  let running = await start();
  await startSources();
  return {
    get url() {
      return running.url;
    },
    get directUrl() {
      return running.directUrl;
    },
    get miniflare() {
      return running.miniflare;
    },
    fetch: (path, init) => fetch(new URL(path, running.url), init),
    bindings: (worker) => running.miniflare.getBindings(worker),
    bucket,
    drain: async (options) => drain(await planOf(sources, register), ports, options),
    async restart() {
      await running.miniflare.dispose();
      running = await start();
      await startSources();
    },
    async dispose() {
      await running.miniflare.dispose();
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** The plan that the Workers run; undefined when they are not this project's. */
async function planOf(
  sources: readonly WorkerSource[],
  register: Register | undefined,
): Promise<Plan | undefined> {
  if (register !== undefined) return register.plan;
  return sources === deployment ? (await import("../../workers/jobs/index.ts")).plan : undefined;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function listenersOf() {
  return SIGNALS.map((signal) => process.listeners(signal));
}

/** Takes Miniflare's signal handlers away, which exit before anybody else's can wait for something. */
function keepOnly(known: ReturnType<typeof listenersOf>): void {
  for (const [i, signal] of SIGNALS.entries()) {
    for (const listener of process.listeners(signal)) {
      if (!known[i]?.includes(listener)) process.off(signal, listener);
    }
  }
}

/** Has Miniflare start workerd through `workerd.sh`, which says why. Windows has neither the problem nor the shell. */
function runWorkerdAlone(): void {
  if (process.platform === "win32" || process.env.MINIFLARE_WORKERD_PATH !== undefined) return;
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const { default: workerd } = fromMiniflare("workerd") as { default: string };
  process.env.MILLRACE_WORKERD = workerd;
  const wrapper = fileURLToPath(new URL("workerd.sh", import.meta.url));
  // An archive or a copy may have lost that it is executable.
  if ((statSync(wrapper).mode & 0o100) === 0) chmodSync(wrapper, 0o755);
  process.env.MINIFLARE_WORKERD_PATH = wrapper;
}
