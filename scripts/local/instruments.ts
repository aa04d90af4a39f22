/**
 * Instruments: what the local runtime builds around the Workers, to know when it may stop. They run inside workerd.
 *
 * The local queue is an array in memory, and its backlog shows neither the batch that is being delivered nor messages
 * that wait for a retry. So the ingest Worker gets a valve, which stops new events while the rest is drained, and the
 * operator Worker a ledger of the messages that it was given and has not acknowledged.
 */

/** How the runtime talks to its instruments: the header carries a secret of this run, the path says what is wanted. */
export const CONTROL_HEADER = "millrace-local";
export const CONTROL_BINDING = "MILLRACE_LOCAL";

export interface ValveState {
  readonly open: boolean;
  /** Requests with events that were let in and are not answered. */
  readonly inFlight: number;
}

export interface LedgerState {
  /** Messages in queues, over all of them. */
  readonly backlog: number;
  /** Messages that were delivered and are not acknowledged: being handled, or waiting for a retry. */
  readonly unsettled: number;
  /** Segments that the shards asked for have emitted and not handed over. */
  readonly outputs: number;
  /** The commits of these shards so far: while it stays the same, nothing passes through them. */
  readonly commits: number;
}

/** What the ledger is asked with: the names of the shards whose outboxes it is to look into. */
export type LedgerQuestion = readonly string[];

/** An object of a bucket, as the ledger lists it. */
export interface StoredObject {
  readonly key: string;
  /** Changes whenever the content does. */
  readonly etag: string;
}

type Env = Readonly<Record<string, unknown>>;
type Fetch = (request: Request, env: Env, context: unknown) => Response | Promise<Response>;
type Retry = { readonly delaySeconds?: number };

interface Message {
  readonly id: string;
  readonly timestamp: Date;
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(options?: Retry): void;
}

interface Batch {
  readonly queue: string;
  readonly messages: readonly Message[];
  readonly metadata?: unknown;
  ackAll(): void;
  retryAll(options?: Retry): void;
}

export interface Handler {
  readonly fetch?: Fetch;
  readonly queue?: (batch: Batch, env: Env, context: unknown) => void | Promise<void>;
  readonly scheduled?: (event: unknown, env: Env, context: unknown) => void | Promise<void>;
}

/** Answers requests that bring events with 503 once it is closed; everything else passes. */
export function withValve(handler: Handler): Handler {
  let open = true;
  let inFlight = 0;
  return {
    ...handler,
    async fetch(request, env, context) {
      if (isControl(request, env)) {
        if (request.url.endsWith("/close")) open = false;
        return Response.json({ open, inFlight } satisfies ValveState);
      }
      if (handler.fetch === undefined) return new Response(null, { status: 404 });
      if (request.method !== "POST") return handler.fetch(request, env, context);
      if (!open) return stopping();
      inFlight++;
      try {
        return await handler.fetch(request, env, context);
      } finally {
        inFlight--;
      }
    },
  };
}

/**
 * Counts the messages that the handler has not acknowledged yet. Besides it runs the cron handler (`/scheduled`) and
 * reads buckets (`/buckets/{binding}`, `/buckets/{binding}/{key}`) when it is asked to.
 */
export function withLedger(handler: Handler): Handler {
  const unsettled = new Set<string>();
  return {
    ...handler,
    async fetch(request, env, context) {
      if (isControl(request, env)) {
        const { pathname } = new URL(request.url);
        if (pathname === "/scheduled") await handler.scheduled?.({}, env, context);
        const [, binding, key] = /^\/buckets\/([^/]+)(?:\/(.+))?$/.exec(pathname) ?? [];
        if (binding !== undefined) return await readBucket(env[binding] as Bucket, key);
        const shards = request.method === "POST" ? ((await request.json()) as LedgerQuestion) : [];
        return Response.json({
          backlog: await backlogOf(env),
          unsettled: unsettled.size,
          ...(await emissionsOf(env, shards)),
        } satisfies LedgerState);
      }
      return handler.fetch?.(request, env, context) ?? new Response(null, { status: 404 });
    },
    async queue(batch, env, context) {
      for (const { id } of batch.messages) unsettled.add(id);
      const left = new Set(batch.messages.map(({ id }) => id));
      await handler.queue?.(watched(batch, unsettled, left), env, context);
      // A handler that returns acknowledges what it said nothing about.
      for (const id of left) unsettled.delete(id);
    },
  };
}

/** The batch, with each verdict noted. The first verdict on a message is the one that counts, as in the queue itself. */
function watched(batch: Batch, unsettled: Set<string>, left: Set<string>): Batch {
  const acked = (id: string): void => {
    if (left.delete(id)) unsettled.delete(id);
  };
  const retried = (id: string): void => void left.delete(id);
  return {
    queue: batch.queue,
    metadata: batch.metadata,
    messages: batch.messages.map((message) => ({
      id: message.id,
      timestamp: message.timestamp,
      body: message.body,
      attempts: message.attempts,
      ack() {
        acked(message.id);
        message.ack();
      },
      retry(options) {
        retried(message.id);
        message.retry(options);
      },
    })),
    ackAll() {
      for (const { id } of batch.messages) acked(id);
      batch.ackAll();
    },
    retryAll(options) {
      for (const { id } of batch.messages) retried(id);
      batch.retryAll(options);
    },
  };
}

async function backlogOf(env: Env): Promise<number> {
  const counts = Object.values(env).map(async (binding) => {
    if (typeof binding !== "object" || binding === null || !("sendBatch" in binding)) return 0;
    const { metrics } = binding as { metrics?: () => Promise<{ backlogCount: number }> };
    return (await metrics?.call(binding))?.backlogCount ?? 0;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

interface Shards {
  getByName(name: string): { stats(): Promise<{ lsn: number; outbox: { segments: number } }> };
}

/** A shard that does not answer may hold something. */
async function emissionsOf(env: Env, names: LedgerQuestion): Promise<{ outputs: number; commits: number }> {
  const stats = names.map(async (name) => {
    try {
      const { lsn, outbox } = await (env.SHARD as Shards).getByName(name).stats();
      return { outputs: outbox.segments, commits: lsn };
    } catch {
      return { outputs: 1, commits: 0 };
    }
  });
  return (await Promise.all(stats)).reduce(
    (sum, { outputs, commits }) => ({ outputs: sum.outputs + outputs, commits: sum.commits + commits }),
    { outputs: 0, commits: 0 },
  );
}

interface Bucket {
  list(options: {
    cursor?: string;
  }): Promise<{ objects: StoredObject[]; truncated: boolean; cursor?: string }>;
  get(key: string): Promise<{ readonly body: ReadableStream } | null>;
}

/** All objects, or the content of one. */
async function readBucket(bucket: Bucket, key: string | undefined): Promise<Response> {
  if (key !== undefined) {
    const object = await bucket.get(decodeURIComponent(key));
    return new Response(object?.body ?? null, { status: object === null ? 404 : 200 });
  }
  const stored: StoredObject[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await bucket.list(cursor === undefined ? {} : { cursor });
    stored.push(...page.objects.map(({ key, etag }) => ({ key, etag })));
    cursor = page.cursor;
    if (!page.truncated || cursor === undefined) return Response.json(stored);
  }
}

function isControl(request: Request, env: Env): boolean {
  const secret = env[CONTROL_BINDING];
  return typeof secret === "string" && request.headers.get(CONTROL_HEADER) === secret;
}

function stopping(): Response {
  const problem = {
    title: "Service Unavailable",
    status: 503,
    detail: "The local server is stopping and takes no more events; start it again and repeat the request.",
    outcome: "none",
  };
  return Response.json(problem, {
    status: 503,
    headers: { "content-type": "application/problem+json", "retry-after": "5" },
  });
}
