/**
 * Instrument: wraps the Workers as they are and counts what passes between them and the platform. It runs inside workerd.
 *
 * Calls are counted where they are made, those of buckets among them, rows where SQLite counts them. Reads of the views
 * are left out: what is metered is what events cost.
 */
import { systemClock } from "../../../src/clock.ts";
import { unitsOf } from "../../../src/cloudflare/batch-usage.ts";
import { isBucket, meteredBucket, type R2Class } from "../../../src/cloudflare/metered-bucket.ts";
import { meteredQueue } from "../../../src/cloudflare/metered-env.ts";
import { Awake } from "../../../src/cloudflare/objects/awake.ts";
import { type Counts, noCounts } from "./counts.ts";

export const COUNTS_HEADER = "millrace-bench-counts";

type Env = Record<string, unknown>;
type Any = (...args: never[]) => unknown;

interface Message {
  readonly body: unknown;
  ack(): void;
}

interface Batch {
  readonly messages: readonly Message[];
}

interface Handler {
  readonly fetch?: (request: Request, env: Env, context: unknown) => Response | Promise<Response>;
  readonly queue?: (batch: Batch, env: Env, context: unknown) => void | Promise<void>;
}

interface Cursor {
  readonly rowsWritten: number;
  readonly rowsRead: number;
}

/** Of this Worker and its objects, which share an isolate here. */
const counts = noCounts();
const objects = new Set<string>();
/** How long each was called for, by its id: an alarm knows no other name. */
const awake = new Map<string, Awake>();
/** Not consumed yet, maybe: what a cursor has read is known when the next one is opened. */
let cursor: Cursor | undefined;

/** A Worker's handler, counted; it answers what it has counted so far when the header asks. */
export function metered(handler: Handler): Handler {
  return {
    ...handler,
    async fetch(request, env, context) {
      if (request.headers.has(COUNTS_HEADER)) return Response.json(current());
      if (handler.fetch === undefined) return new Response(null, { status: 404 });
      if (request.method !== "POST") return handler.fetch(request, env, context);
      counts.requests++;
      return handler.fetch(request, meteredEnv(env), context);
    },
    async queue(batch, env, context) {
      if (batch.messages.length === 0) return;
      counts.batches++;
      counts.deliveries += batch.messages.length;
      const open = new Map(batch.messages.map((message) => [message, unitsOf(message.body)]));
      for (const operations of open.values()) counts.reads += operations;
      const settled = (message: Message, deleted: boolean) => {
        if (deleted) counts.deletes += open.get(message) ?? 0;
        open.delete(message);
      };
      const messages = batch.messages.map((message) =>
        intercepted(message, {
          ack: () => settled(message, true),
          retry: () => settled(message, false),
        }),
      );
      await handler.queue?.(intercepted(batch, {}, { messages }), meteredEnv(env), context);
      // A handler that returns acknowledges what it said nothing about.
      for (const message of [...open.keys()]) settled(message, true);
    },
  };
}

/** A class of Durable Objects, counted. */
export function meteredClass<Class extends new (context: never, env: never) => object>(base: Class): Class {
  const Base = base as unknown as new (context: object, env: Env) => { alarm?: () => Promise<void> };
  return class extends Base {
    constructor(context: object, env: Env) {
      // The class makes fields of it before it can be replaced.
      countAlarms(context);
      super(context, meteredEnv(env));
      Object.defineProperty(this, "ctx", { value: meteredContext(context) });
      const { alarm } = this;
      if (alarm === undefined) return;
      const { id } = context as { id: object };
      this.alarm = () => {
        counts.objectRequests++;
        return awakeOf(id).during(alarm.call(this));
      };
    }
  } as unknown as Class;
}

/** All that was counted; the objects are those that were called since the last time. */
function current(): Counts {
  settleCursor();
  const called = objects.size;
  objects.clear();
  return { ...counts, objects: called };
}

function meteredEnv(env: Env): Env {
  return Object.fromEntries(
    Object.entries(env).map(([name, binding]) => {
      if (typeof binding !== "object" || binding === null) return [name, binding];
      if (isBucket(binding)) return [name, meteredBucket(binding, countR2)];
      if ("sendBatch" in binding) return [name, meteredQueue(binding, countWrites)];
      if ("getByName" in binding) return [name, meteredNamespace(name, binding)];
      return [name, binding];
    }),
  );
}

function countR2(operation: R2Class): void {
  counts[operation === "a" ? "r2ClassA" : "r2ClassB"]++;
}

function countWrites(operations: number): void {
  counts.writes += operations;
}

function meteredNamespace(binding: string, namespace: object): object {
  const { getByName } = namespace as { getByName(name: string): Record<string, Any> & { id: object } };
  return {
    getByName(name: string) {
      const stub = getByName.call(namespace, name);
      return new Proxy(stub, {
        get:
          (_, method: string) =>
          (...args: never[]) => {
            counts.objectRequests++;
            if (binding === "SHARD") counts.shardRequests++;
            if (binding === "FEED") counts.feedRequests++;
            objects.add(`${binding}/${name}`);
            return awakeOf(stub.id).during(Promise.resolve(stub[method]?.(...args)));
          },
      });
    },
  };
}

function awakeOf(object: object): Awake {
  const id = object.toString();
  const known = awake.get(id);
  if (known !== undefined) return known;
  const made = new Awake(systemClock, ({ awake: ms = 0 }) => {
    counts.objectMilliseconds += ms;
  });
  awake.set(id, made);
  return made;
}

function meteredContext(context: object): object {
  const { storage } = context as { storage: { sql: object; kv: object } };
  const written = () => {
    counts.rowsWritten++;
  };
  const sql = intercepted(
    storage.sql,
    { exec: settleCursor },
    {},
    {
      exec(made) {
        cursor = made as Cursor;
      },
    },
  );
  const kv = intercepted(storage.kv, { put: written, delete: written });
  const meteredStorage = intercepted(storage, {}, { sql, kv });
  return intercepted(context, {}, { storage: meteredStorage });
}

/** Each setting of an alarm is billed as a row. */
function countAlarms(context: object): void {
  const { storage } = context as { storage: { setAlarm: Any } };
  const setAlarm = storage.setAlarm.bind(storage);
  storage.setAlarm = (...args) => {
    counts.rowsWritten++;
    return setAlarm(...args);
  };
}

function settleCursor(): void {
  counts.rowsWritten += cursor?.rowsWritten ?? 0;
  counts.rowsRead += cursor?.rowsRead ?? 0;
  cursor = undefined;
}

/** A native object with some of its methods watched, before and after, and some of its properties replaced. */
function intercepted<T extends object>(
  target: T,
  before: Readonly<Record<string, Any>>,
  replaced: Readonly<Record<string, unknown>> = {},
  after: Readonly<Record<string, (result: unknown) => void>> = {},
): T {
  return new Proxy(target, {
    get(_, name: string) {
      if (Object.hasOwn(replaced, name)) return replaced[name];
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: never[]) => {
        before[name]?.(...args);
        const result: unknown = value.apply(target, args);
        after[name]?.(result);
        return result;
      };
    },
  });
}
