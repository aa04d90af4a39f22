/** Fakes of what the ingest Worker is bound to, and a door to knock at. */

import * as v from "valibot";
import type { IngestEnv, IngestOptions } from "../../../src/cloudflare/ingest/app.ts";
import { ingestApp } from "../../../src/cloudflare/ingest/app.ts";
import { decodeEnvelope } from "../../../src/engine/envelope.ts";
import type { Segment } from "../../../src/engine/segment.ts";
import type { Admission, Admitted, HoldReport } from "../../../src/engine/watermark/protocol.ts";
import type { SourceCollector } from "../../../src/index.ts";
import { count, Job, parse, planJobs, Source, VirtualClock } from "../../../src/index.ts";

const schema = v.object({
  url: v.pipe(
    v.string(),
    v.nonEmpty("empty"),
    v.check((url) => url.isWellFormed(), "not well-formed"),
  ),
  time: v.optional(v.union([v.string(), v.number()])),
  id: v.optional(v.string()),
});

class ClickReader extends Source<{ url: string }> {
  getEvents(input: unknown, collector: SourceCollector<{ url: string }>): void {
    const { url, time, id } = parse(schema, typeof input === "string" ? { url: input.trim() } : input);
    collector.emit({ url }, { time, id });
  }
}

/** A source that makes an event of anything, or of nothing (null), or throws it (an Error for its reader). */
export class AnyReader extends Source<unknown> {
  getEvents(input: unknown, collector: SourceCollector<unknown>): void {
    if (input !== null) collector.emit(input);
  }
}

export function testPlan() {
  const job = new Job("test");
  job
    .addSource(new ClickReader("clicks"))
    .keyBy((click) => click.url)
    .aggregate("page-views", count());
  job
    .addSource(new AnyReader("things"))
    .map((thing): unknown => {
      if (thing === "bomb") throw new Error("boom");
      return thing;
    }, "explode")
    .keyBy((thing) => typeof thing)
    .aggregate("kinds", count());
  return planJobs([job]);
}

/** A Queue binding that keeps what it is sent, and fails by script. */
export class FakeQueue {
  readonly sent: string[] = [];
  readonly sends: string[][] = [];
  /** For the next sends in turn: an error to throw, before or after the messages have arrived. */
  readonly script: { readonly error: Error; readonly arrives?: boolean }[] = [];
  backlog = 0;
  asked = 0;

  async sendBatch(messages: Iterable<{ body: string; contentType: string }>): Promise<unknown> {
    const batch = [...messages];
    if (batch.some(({ contentType }) => contentType !== "text")) throw new TypeError("text only");
    const bodies = batch.map(({ body }) => body);
    this.sends.push(bodies);
    const failure = this.script.shift();
    if (failure === undefined || failure.arrives === true) this.sent.push(...bodies);
    if (failure !== undefined) throw failure.error;
    return { metadata: { metrics: { backlogCount: this.backlog, backlogBytes: 0 } } };
  }

  async metrics(): Promise<unknown> {
    this.asked++;
    return { backlogCount: this.backlog, backlogBytes: 0 };
  }

  get segments(): Segment[] {
    return this.sent.flatMap((text) => [...decodeEnvelope(text).segments]);
  }

  /** Events by key, over everything that arrived. */
  get counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { records } of this.segments.flatMap((s) => s.parts.flatMap((p) => p.byShard))) {
      for (let i = 0; i < records.length; i += 3)
        counts[records[i] as string] = (counts[records[i] as string] ?? 0) + (records[i + 2] as number);
    }
    return counts;
  }
}

export class FakeGate {
  readonly names: string[] = [];
  readonly known = new Map<string, { body: string; sequence: number }>();
  error: Error | undefined;

  getByName(name: string) {
    this.names.push(name);
    return {
      admit: async (key: string, body: string) => {
        if (this.error !== undefined) throw this.error;
        const fresh = !this.known.has(key);
        const known = this.known.get(key) ?? { body, sequence: this.known.size };
        this.known.set(key, known);
        if (known.body !== body) return { conflict: true } as const;
        const id = { producer: "a".repeat(32), sequence: known.sequence };
        return { conflict: false, id, ...(fresh ? { fresh } : {}) } as const;
      },
    };
  }
}

export class FakeClaims {
  asked = 0;
  value = 0;

  getByName(_name: string) {
    return {
      claim: async (_producer: string, _fingerprint: string, sequences: readonly number[]) =>
        sequences.map(() => true),
      prefix: async () => {
        this.asked++;
        return this.value;
      },
    };
  }
}

/** The coordinator of a job's watermarks: hears what is reported, and lets replays in. */
export class FakeCoordinator {
  readonly reports: HoldReport[] = [];
  readonly admissions: Admission[] = [];
  /** Answers to the next admissions, in turn. */
  readonly script: Admitted[] = [];
  error: Error | undefined;

  getByName(_name: string) {
    const unasked = () => Promise.reject(new Error("ingest does not ask for this"));
    return {
      holds: async (report: HoldReport) => {
        if (this.error !== undefined) throw this.error;
        this.reports.push(report);
      },
      admit: async (admission: Admission) => {
        if (this.error !== undefined) throw this.error;
        this.admissions.push(admission);
        return this.script.shift() ?? { front: admission.sequence - 1 };
      },
      ...{ committed: unasked, want: unasked, status: unasked },
    };
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests are about.
  readonly body: any;
}

/** One isolate of the ingest Worker, with a clock that stands at 1,000,000 and no randomness. */
export class Door {
  readonly clicks = new FakeQueue();
  readonly things = new FakeQueue();
  readonly gate = new FakeGate();
  readonly claims = new FakeClaims();
  readonly coordinator = new FakeCoordinator();
  readonly clock = new VirtualClock(1_000_000);
  readonly passed: Request[] = [];
  readonly waits: number[] = [];
  /** What goes on when a request has been answered. */
  readonly background: Promise<unknown>[] = [];
  readonly env: IngestEnv & Record<string, unknown>;
  readonly app: ReturnType<typeof ingestApp>;

  constructor(env: Partial<IngestEnv> = {}, options: Partial<IngestOptions> = {}) {
    this.env = {
      OPEN: "yes",
      QUERY: {
        fetch: async (request: Request) => {
          this.passed.push(request);
          return new Response(`query: ${request.method} ${new URL(request.url).pathname}`);
        },
      },
      GATE: this.gate,
      CLAIMS: this.claims,
      COORDINATOR: this.coordinator,
      QUEUE_CLICKS: this.clicks,
      QUEUE_THINGS: this.things,
      ...env,
    };
    const wait = async (ms: number) => {
      this.waits.push(ms);
    };
    this.app = ingestApp({ plan: testPlan(), clock: this.clock, random: () => 0.5, wait, ...options });
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Answer> {
    const context = {
      waitUntil: (work: Promise<unknown>) => void this.background.push(work),
      passThroughOnException: () => undefined,
      props: {},
    };
    const response = await this.app.request(`http://millrace.test${path}`, init, this.env, context);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : undefined,
    };
  }

  /** Sends a body to `clicks`: as JSON when it is not a text or bytes. */
  post(body: unknown, headers: Record<string, string> = {}, path = "/v1/sources/clicks"): Promise<Answer> {
    const isRaw = typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
    return this.fetch(path, {
      method: "POST",
      body: isRaw ? (body as BodyInit) : JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
      ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
    } as RequestInit);
  }
}

export async function compressed(
  data: string | Uint8Array<ArrayBuffer>,
  format: "gzip" | "deflate",
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([data]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
