/** Workers: the deployment's Workers as Miniflare takes them: options from their wrangler configs, code from esbuild. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildFailure, build } from "esbuild";
import type { V4WorkerOptions, V4WorkerOptionsShape } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
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
  const { rootPath: _, modulesRules: __, ...options } = workerOptions as ConfigOptions;
  const { bindings, queueConsumers = {} } = options;
  const { vars = {}, queueWait, control } = overrides;
  return {
    ...options,
    name,
    modules: true,
    script: await bundle(name, main, define, source.instrument),
    bindings: {
      ...bindings,
      ...vars,
      ...(source.instrument && { [CONTROL_BINDING]: control }),
    },
    queueConsumers: withWait(queueConsumers, queueWait),
  };
}

type Consumers = Readonly<Record<string, object>>;

/** What wrangler gives, whose own type loses these fields to an index signature. */
interface ConfigOptions extends Readonly<Record<string, unknown>> {
  readonly bindings?: V4WorkerOptionsShape["bindings"];
  readonly queueConsumers?: Consumers;
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

function firstError(thrown: unknown): string {
  const [first] = (thrown as Partial<BuildFailure>).errors ?? [];
  if (first === undefined) return String(thrown);
  const { location, text } = first;
  return location ? `${location.file}:${location.line}: ${text}` : text;
}
