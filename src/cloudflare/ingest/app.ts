/** The ingest app: the public door. It takes events in and passes everything else on to the query Worker. */

import { Hono } from "hono";
import { describeRoute } from "hono-openapi";
import type { Clock } from "../../clock.ts";
import { systemClock } from "../../clock.ts";
import { Producer } from "../../engine/producer.ts";
import { SourceExecutor } from "../../engine/source-executor.ts";
import { fingerprintOf } from "../../hash.ts";
import type { Plan, SourcePlan, StagePlan } from "../../plan.ts";
import { isTimed } from "../../plan.ts";
import { highWaterOf, markOf, stagesBehind } from "../high-water.ts";
import type { CorsEnv } from "../http/cors.ts";
import { cors } from "../http/cors.ts";
import type { KeysEnv } from "../http/keys.ts";
import { requireScope } from "../http/keys.ts";
import type { OpenApiDocument } from "../http/openapi.ts";
import { document, merge } from "../http/openapi.ts";
import { notFound, onError, Problem, shorten } from "../http/problem.ts";
import type { CloudflareQueueOptions, QueueBinding } from "../queue.ts";
import { BacklogMemory, bindingOf, CloudflareQueue } from "../queue.ts";
import type { ClaimsRpc, CoordinatorRpc, GateRpc, Namespace } from "../rpc.ts";
import { coordinatorName } from "../rpc.ts";
import type { Intake, IntakeTime } from "./accept.ts";
import { accept } from "./accept.ts";
import type { Gauge } from "./backpressure.ts";
import { StageBacklog } from "./backpressure.ts";
import { drain } from "./body.ts";
import { SourceHolds } from "./event-time.ts";
import { GroupCommit } from "./group-commit.ts";
import { Prefixes } from "./identity.ts";
import { OwnUsage } from "./own-usage.ts";
import { ingestSpec } from "./spec.ts";

/** What the ingest Worker is bound to; besides, under its name from the plan, the queue of each source and stage. */
export interface IngestEnv extends KeysEnv, CorsEnv {
  readonly QUERY: { fetch(request: Request): Promise<Response> };
  readonly GATE: Namespace<GateRpc>;
  readonly CLAIMS: Namespace<ClaimsRpc>;
  readonly COORDINATOR: Namespace<CoordinatorRpc>;
  /** Messages in a queue from which on it takes no more, where a stage does not say otherwise; 10,000 by default. */
  readonly BACKLOG_HIGH_WATER?: string;
  /** How long requests gather to share a message while another send is under way, ms; 0 never; 10 by default. */
  readonly GROUP_COMMIT_MS?: string;
  readonly VERSION?: { readonly id: string };
}

export interface IngestOptions extends CloudflareQueueOptions {
  readonly plan: Plan;
}

type Bindings = { Bindings: IngestEnv };

/** The Worker as an app. What it keeps between requests (its producers' numbers, what it heard of backlogs) is this isolate's. */
export function ingestApp(options: IngestOptions): Hono<Bindings> {
  const app = new Hono<Bindings>();
  const routes = ingestRoutes(options);
  app.onError(onError);
  app.notFound(notFound);
  app.use(cors());
  app.get("/openapi.json", async (context) => {
    // Always a GET: a HEAD comes here too, and its answer would be no document.
    const { url, headers } = context.req.raw;
    const theirs = await passOn(new Request(url, { headers }), context.env);
    // An error of theirs (a missing key, say) is the answer.
    if (!theirs.ok) return theirs;
    return context.json(merge(await document(routes), await theirs.json<OpenApiDocument>()));
  });
  app.route("/", routes);
  app.all("*", ({ req, env }) => passOn(req.raw, env));
  return app;
}

/** `POST /v1/sources/{source}`, described for OpenAPI. All paths below `/v1/sources/` are answered here. */
export function ingestRoutes(options: IngestOptions): Hono<Bindings> {
  const { plan, clock = systemClock, random = Math.random } = options;
  const isolate = new Isolate(options, clock, random);
  const routes = new Hono<Bindings>();

  routes.use("/v1/sources/*", async ({ req }, next) => {
    await next();
    await drain(req.raw);
  });

  routes.post("/v1/sources/:source", describeRoute(ingestSpec), async (context) => {
    const { req, env } = context;
    const credential = await requireScope(req.raw, env, "ingest");
    const source = sourceOf(plan, req.param("source"));
    const intake = isolate.intake(source, env, (work) => context.executionCtx.waitUntil(work));
    return accept(req.raw, credential, strictOf(req.query("strict")), intake);
  });
  routes.options("/v1/sources/:source", () => new Response(null, { status: 204, headers: { allow: ALLOW } }));
  routes.all("/v1/sources/:source", async ({ req, env }) => {
    await requireScope(req.raw, env, "ingest");
    sourceOf(plan, req.param("source"));
    throw new Problem(405, "events are sent with POST; to read, see GET /v1/views", {}, { allow: ALLOW });
  });
  routes.all("/v1/sources/*", async ({ req, env }) => {
    await requireScope(req.raw, env, "ingest");
    throw unknownSource(plan, req.path.slice("/v1/sources/".length));
  });
  return routes;
}

const ALLOW = "POST, OPTIONS";

/** What one isolate keeps over its requests. */
class Isolate {
  readonly #options: IngestOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #producers = new Map<string, Producer>();
  readonly #backlogs = new Map<string, BacklogMemory>();
  /** Per source, the stages behind it. */
  readonly #stages = new Map<string, readonly StagePlan[]>();
  readonly #stageBacklogs = new Map<string, StageBacklog>();
  readonly #groups = new Map<string, GroupCommit>();
  readonly #holds = new Map<string, SourceHolds>();
  readonly #fingerprints = new Map<string, string>();
  readonly #usages = new Map<string, OwnUsage>();
  readonly #prefixes = new Prefixes();

  constructor(options: IngestOptions, clock: Clock, random: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  intake(source: SourcePlan, env: IngestEnv, waitUntil: Intake["waitUntil"]): Intake {
    const { plan } = this.#options;
    const producer = kept(this.#producers, source.name, () => new Producer());
    const group = kept(this.#groups, source.name, () => new GroupCommit(lingerOf(env.GROUP_COMMIT_MS)));
    const backlog = kept(this.#backlogs, source.name, () => new BacklogMemory());
    const highWater = highWaterOf(env.BACKLOG_HIGH_WATER);
    // Another version of the code may route differently, even where the plan looks the same.
    const version = env.VERSION?.id || "local";
    const fingerprint = kept(this.#fingerprints, version, () =>
      fingerprintOf(`${plan.fingerprint}-${version}`),
    );
    return {
      executor: new SourceExecutor(plan, source, fingerprint),
      queue: new CloudflareQueue(queueBindingOf(source, env), backlog, this.#options),
      group,
      waitUntil,
      producer,
      prefixes: this.#prefixes,
      usage: kept(this.#usages, source.name, () => new OwnUsage()),
      eventTime: this.#eventTime(source, env),
      gates: env.GATE,
      claims: env.CLAIMS,
      highWater,
      behind: this.#behind(source, env, highWater),
      clock: this.#clock,
      random: this.#random,
    };
  }

  #eventTime(source: SourcePlan, { COORDINATOR }: IngestEnv): IntakeTime | undefined {
    if (!isTimed(source)) return undefined;
    const name = coordinatorName(this.#options.plan.generation, source.job);
    return {
      holds: kept(this.#holds, source.name, () => new SourceHolds(source.name)),
      coordinator: COORDINATOR.getByName(name),
    };
  }

  #behind(source: SourcePlan, env: IngestEnv, highWater: number): Gauge[] {
    const stages = kept(this.#stages, source.name, () => stagesBehind(source));
    return stages.map((stage) =>
      kept(this.#stageBacklogs, stage.name, () => new StageBacklog(stage, this.#clock)).gauge(
        env,
        markOf(stage, highWater),
      ),
    );
  }
}

const DEFAULT_LINGER_MS = 10;

function lingerOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,4}$/.test(text.trim()) ? Number(text) : DEFAULT_LINGER_MS;
}

function kept<T>(map: Map<string, T>, name: string, create: () => T): T {
  const known = map.get(name);
  if (known !== undefined) return known;
  const made = create();
  map.set(name, made);
  return made;
}

function queueBindingOf(source: SourcePlan, env: IngestEnv): QueueBinding {
  const binding = bindingOf(env, source);
  if (binding !== undefined) return binding;
  throw new Problem(
    503,
    `this deployment has no queue bound as ${source.queue.binding}; run \`npm run plan -- --write\` and deploy again`,
    { outcome: "none" },
    { "retry-after": "30" },
  );
}

function sourceOf(plan: Plan, name: string): SourcePlan {
  const source = plan.sources.get(name);
  if (source === undefined) throw unknownSource(plan, name);
  return source;
}

function unknownSource(plan: Plan, name: string): Problem {
  const sources = [...plan.sources.keys()];
  return new Problem(
    404,
    `no source is named ${JSON.stringify(shorten(name))}; there is ${sources.join(", ")}`,
    { sources },
  );
}

function strictOf(value: string | undefined): boolean {
  if (value === undefined || value === "0") return false;
  if (value === "1") return true;
  throw new Problem(400, "strict: use strict=1 to have all events accepted or none");
}

/** Passes a request on to the query Worker as it is; that one checks the key. */
async function passOn(request: Request, env: IngestEnv): Promise<Response> {
  try {
    return await env.QUERY.fetch(request);
  } catch (error) {
    console.error("the query Worker failed:", error);
    throw new Problem(503, "the query Worker did not answer; try again", {}, { "retry-after": "1" });
  }
}
