/** Workers: the deployment's Workers as Miniflare takes them: options from their wrangler configs, code from esbuild. */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildFailure, build, type Plugin } from "esbuild";
import type { V4WorkerOptions, V4WorkerOptionsShape } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import type { Plan } from "../../src/plan.ts";
import { queuesOf } from "../../src/plan.ts";
import { bundlePage, PageError } from "../dashboard/bundle.ts";
import { writeOwn } from "../dashboard/folders.ts";
import { CONTROL_BINDING } from "./instruments.ts";

/** A Worker of the deployment: its config, and what is built around its handler locally. */
export interface WorkerSource {
  /** Absolute path of its wrangler config. */
  readonly config: string;
  readonly instrument?: "withValve" | "withLedger";
}

export interface WorkerOverrides {
  /** Values of variables, for all Workers, over those in the configs. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Seconds that queues wait for a batch to fill, instead of the config's. */
  readonly queueWait?: number;
  /** Secret that the instruments are asked with. */
  readonly control: string;
  /** Other jobs than those of the register. */
  readonly register?: Register;
}

/** Jobs to run instead of the registered ones. */
export interface Register {
  /** Absolute path of a module that exports `plan`, in place of `workers/jobs/index.ts`. */
  readonly module: string;
  /** What it exports, for the queues and bindings that the configs do not have. */
  readonly plan: Plan;
}

/** The Worker cannot be run as it stands; the message names it and says why. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}

const root = new URL("../../", import.meta.url);
const instruments = fileURLToPath(new URL("instruments.ts", import.meta.url));

/** The three Workers of this project; the first is the public door. */
export const deployment: readonly WorkerSource[] = [
  { config: fileURLToPath(new URL("wrangler.toml", root)), instrument: "withValve" },
  { config: fileURLToPath(new URL("workers/operator/wrangler.toml", root)), instrument: "withLedger" },
  { config: fileURLToPath(new URL("workers/query/wrangler.toml", root)) },
];

/** A Worker's options, ready to run. @throws WorkerError when its config or its code has a mistake. */
export async function loadWorker(
  source: WorkerSource,
  overrides: WorkerOverrides,
): Promise<V4WorkerOptions & { name: string }> {
  const { name } = unstable_readConfig({ config: source.config }, { hideWarnings: true });
  if (name === undefined) throw new WorkerError(`${source.config} gives the Worker no name`);
  const { workerOptions, main, define } = unstable_getMiniflareWorkerOptions(source.config);
  if (main === undefined) throw new WorkerError(`${source.config} has no main`);
  // Wrangler's own bundling is replaced by ours, so what it says about modules and folders does not apply.
  const {
    rootPath: _,
    modulesRules: __,
    versionMetadata,
    assets,
    ...options
  } = workerOptions as ConfigOptions;
  const { bindings, queueConsumers = {} } = options;
  const { vars = {}, queueWait, control, register } = overrides;
  const script = await bundle(name, main, define, source.instrument, register?.module);
  return {
    ...options,
    name,
    modules: true,
    script,
    ...(assets === undefined ? {} : { assets: { ...assets, directory: await pageFolder(name) } }),
    bindings: {
      ...bindings,
      ...(versionMetadata === undefined ? {} : { [versionMetadata]: { id: versionOf(script) } }),
      ...vars,
      ...(source.instrument && { [CONTROL_BINDING]: control }),
    },
    ...(register === undefined
      ? { queueConsumers: withWait(queueConsumers, queueWait) }
      : transportOf(register.plan, Object.keys(queueConsumers).length > 0, queueWait)),
  };
}

/** The live page as it is now, in a folder that no later build changes. */
async function pageFolder(name: string): Promise<string> {
  try {
    return await writeOwn(await bundlePage());
  } catch (thrown) {
    if (!(thrown instanceof PageError)) throw thrown;
    throw new WorkerError(`the Worker ${name}: ${thrown.message}`, { cause: thrown });
  }
}

/**
 * The same code is the same version, also after a restart: a client's copy of a request that died with the local queue
 * was claimed for its version, and the one that is sent again must be of that version.
 */
function versionOf(script: string): string {
  return createHash("sha256").update(script).digest("hex").slice(0, 32);
}

type Consumers = Readonly<Record<string, object>>;

/** What wrangler gives, whose own type loses these fields to an index signature. */
interface ConfigOptions extends Readonly<Record<string, unknown>> {
  readonly assets?: V4WorkerOptionsShape["assets"];
  readonly bindings?: V4WorkerOptionsShape["bindings"];
  /** The name of the binding. */
  readonly versionMetadata?: string;
  readonly queueConsumers?: Consumers;
}

/** The queues and buckets that a plan asks for, as Miniflare takes them. @param consumes for the Worker that consumes them. */
function transportOf(plan: Plan, consumes: boolean, maxBatchTimeout?: number) {
  const queues = queuesOf(plan).map(({ queue }) => queue);
  const sinks = [...plan.operators.values()].flatMap((operator) =>
    operator.kind === "sink" ? (operator.sink.bindings ?? []) : [],
  );
  const foreign = sinks.filter(({ kind }) => kind === "queue");
  const consumers = queues.flatMap(({ queue, deadLetterQueue, batchSeconds, batchSize, maxConsumers }) => [
    [
      queue,
      {
        maxBatchSize: batchSize,
        maxBatchTimeout: maxBatchTimeout ?? batchSeconds,
        maxRetries: 100,
        deadLetterQueue,
        ...(maxConsumers === undefined ? {} : { maxConcurrency: maxConsumers }),
      },
    ],
    [deadLetterQueue, { maxBatchSize: 10, maxBatchTimeout: maxBatchTimeout ?? 5, maxRetries: 100 }],
  ]);
  return {
    queueProducers: Object.fromEntries([
      ...queues.map(({ binding, queue }) => [binding, { queueName: queue }]),
      ...foreign.map(({ binding, name }) => [binding, { queueName: name }]),
    ]),
    queueConsumers: consumes ? Object.fromEntries(consumers) : {},
    r2Buckets: Object.fromEntries(
      sinks.filter(({ kind }) => kind === "r2").map(({ binding, name }) => [binding, { id: name }]),
    ),
  };
}

function withWait(consumers: Consumers, maxBatchTimeout: number | undefined): Consumers {
  if (maxBatchTimeout === undefined) return consumers;
  return Object.fromEntries(
    Object.entries(consumers).map(([queue, options]) => [queue, { ...options, maxBatchTimeout }]),
  );
}

async function bundle(
  name: string,
  main: string,
  define: Record<string, string>,
  instrument: WorkerSource["instrument"],
  register: string | undefined,
): Promise<string> {
  const from = JSON.stringify;
  const entry = instrument
    ? `import handler from ${from(main)};
       import { ${instrument} as around } from ${from(instruments)};
       export * from ${from(main)};
       export default around(handler);`
    : `export * from ${from(main)}; export { default } from ${from(main)};`;
  try {
    const { outputFiles } = await build({
      stdin: { contents: entry, resolveDir: dirname(main), loader: "ts" },
      bundle: true,
      format: "esm",
      target: "es2024",
      conditions: ["workerd", "worker", "browser"],
      mainFields: ["browser", "module", "main"],
      plugins: register === undefined ? [] : [inPlaceOfTheRegister(register)],
      external: ["cloudflare:*", "node:*"],
      loader: { ".html": "text", ".txt": "text", ".sql": "text", ".bin": "binary" },
      define,
      // The plan looks at the names and the text of classes and functions.
      keepNames: true,
      sourcemap: "inline",
      sourcesContent: false,
      write: false,
      logLevel: "silent",
    });
    return outputFiles[0]?.text ?? "";
  } catch (thrown) {
    throw new WorkerError(`the Worker ${name} cannot be built: ${firstError(thrown)}`, { cause: thrown });
  }
}

function inPlaceOfTheRegister(module: string): Plugin {
  return {
    name: "register",
    setup({ onResolve }) {
      onResolve({ filter: /\/jobs\/index\.ts$/ }, () => ({ path: module }));
    },
  };
}

function firstError(thrown: unknown): string {
  const [first] = (thrown as Partial<BuildFailure>).errors ?? [];
  if (first === undefined) return String(thrown);
  const { location, text } = first;
  return location ? `${location.file}:${location.line}: ${text}` : text;
}
