/** Body: the bytes of a request, inflated within limits and without trusting a word of them. */
import { Problem } from "../http/problem.ts";

export const MAX_BODY_BYTES = 2 * 1024 * 1024;
/** What is read and thrown away of a body over the limit: a connection cut while it sends would hide the answer. */
const MAX_DRAINED_BYTES = 32 * 1024 * 1024;

export type BodyKind = "json" | "ndjson" | "text";

export interface Body {
  readonly kind: BodyKind;
  /** Inflated. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const TYPES: ReadonlyMap<string, BodyKind> = new Map([
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["application/ndjson", "ndjson"],
  ["application/jsonl", "ndjson"],
  ["text/plain", "text"],
]);
const TAKEN = "application/json, application/x-ndjson, text/plain";
const ENCODINGS: ReadonlyMap<string, "gzip" | "deflate" | undefined> = new Map([
  ["", undefined],
  ["identity", undefined],
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
]);

/**
 * Reads and inflates a request's body.
 *
 * @throws Problem 415 for a type or an encoding that is not taken, 413 over the limit (of the inflated size, enforced
 * while it inflates), 400 when it cannot be inflated or breaks off.
 */
export async function readBody(request: Request): Promise<Body> {
  const kind = kindOf(request.headers.get("content-type"));
  const encoding = encodingOf(request.headers.get("content-encoding"));
  // A length that is stated and small enough lets the runtime read the body in one go, without making a stream of it.
  const stated = Number(request.headers.get("content-length") ?? Number.NaN);
  let raw: Uint8Array<ArrayBuffer> | undefined;
  try {
    raw =
      stated <= MAX_BODY_BYTES
        ? new Uint8Array(await request.arrayBuffer())
        : await readAtMost(request.body, MAX_BODY_BYTES, MAX_DRAINED_BYTES);
  } catch {
    throw new Problem(400, "the request's body broke off; send it again");
  }
  if (raw === undefined || raw.length > MAX_BODY_BYTES) throw tooLarge();
  return { kind, bytes: encoding === undefined ? raw : await inflate(raw, encoding) };
}

/** Reads a body to its end, or for long enough, for a sender who only then looks at the answer. */
export async function drain(request: Request): Promise<void> {
  // In this order: asking for the body makes a stream of it.
  if (request.bodyUsed || request.body === null) return;
  try {
    await readAtMost(request.body, 0, MAX_DRAINED_BYTES);
  } catch {
    // It broke off: nobody is waiting for the answer.
  }
}

function kindOf(header: string | null): BodyKind {
  if (header === null) return "text";
  const plain = TYPES.get(header);
  if (plain !== undefined) return plain;
  const [type = "", ...parameters] = header.toLowerCase().split(";");
  const kind = TYPES.get(type.trim());
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(parameter)?.[1]);
  if (kind === undefined) {
    throw notTaken(`this content type is not taken; send one of ${TAKEN}, as Content-Type says`);
  }
  if (charset.some((name) => name !== undefined && !["utf-8", "utf8", "us-ascii"].includes(name))) {
    throw notTaken("this charset is not taken; send UTF-8");
  }
  return kind;
}

function encodingOf(header: string | null): "gzip" | "deflate" | undefined {
  const encoding = (header ?? "").trim().toLowerCase();
  if (ENCODINGS.has(encoding)) return ENCODINGS.get(encoding);
  throw notTaken("this content encoding is not taken; send gzip, deflate or none");
}

function notTaken(detail: string): Problem {
  return new Problem(415, detail, {}, { "accept-post": TAKEN, "accept-encoding": "gzip, deflate" });
}

function tooLarge(): Problem {
  return new Problem(
    413,
    `the body is over the limit of ${MAX_BODY_BYTES} bytes (2 MiB, inflated); send it in smaller requests`,
    { limit: MAX_BODY_BYTES },
  );
}

async function inflate(
  raw: Uint8Array<ArrayBuffer>,
  encoding: "gzip" | "deflate",
): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([raw]).stream();
  let inflated: Uint8Array<ArrayBuffer> | undefined;
  try {
    inflated = await readAtMost(packed.pipeThrough(new DecompressionStream(encoding)), MAX_BODY_BYTES, 0);
  } catch {
    throw new Problem(400, `the body is not what Content-Encoding says: no valid ${encoding}, or cut short`);
  }
  if (inflated === undefined) throw tooLarge();
  return inflated;
}

/** All bytes of a stream; undefined when it holds more than `limit`, of which up to `drained` are read and dropped. */
async function readAtMost(
  stream: ReadableStream<Uint8Array> | null,
  limit: number,
  drained: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (stream === null) return new Uint8Array();
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length <= limit) chunks.push(value);
    else {
      chunks.length = 0;
      if (length > limit + drained) {
        // What is left is nobody's concern, nor is an error in it.
        reader.cancel().catch(() => {});
        return undefined;
      }
    }
  }
  if (length > limit) return undefined;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
