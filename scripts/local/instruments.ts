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

/** Counts the messages that the handler has not acknowledged yet. */
export function withLedger(handler: Handler): Handler {
  const unsettled = new Set<string>();
  return {
    ...handler,
    async fetch(request, env, context) {
      if (isControl(request, env)) {
        return Response.json({
          backlog: await backlogOf(env),
          unsettled: unsettled.size,
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
