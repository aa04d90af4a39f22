/** Identity: who numbers a request, so that sending it again can be told from sending something new. */
import { byteLength } from "../../byte-length.ts";
import type { SegmentId } from "../../engine/segment.ts";
import type { Usage } from "../../engine/usage.ts";
import { ONE_REQUEST } from "../../engine/usage.ts";
import { shardOf } from "../../hash.ts";
import type { Credential } from "../http/keys.ts";
import { Problem } from "../http/problem.ts";
import type { ClaimsRpc, GateRpc, Namespace } from "../rpc.ts";
import { GATES, gateName } from "../rpc.ts";
import type { Body } from "./body.ts";
import type { OwnUsage } from "./own-usage.ts";

/** How far a client may number ahead of what is known to have arrived without gaps. */
export const MAX_AHEAD = 100_000;
const MAX_KEY_BYTES = 255;
const MAX_KNOWN_PRODUCERS = 1_000;

/** Who says which request this is: nobody but this isolate, the client by numbers, or the client by a key. */
export type Claim =
  | { readonly by: "isolate" }
  | ({ readonly by: "client" } & SegmentId)
  | {
      readonly by: "key";
      /** Of credential, source and idempotency key: 64 hex digits. */
      readonly hash: string;
    };

/**
 * What the headers claim.
 *
 * @throws Problem 400 when they are not well-formed or contradict each other, 403 when the key may not number requests.
 */
export async function claimOf(headers: Headers, credential: Credential, source: string): Promise<Claim> {
  const id = headers.get("millrace-producer");
  const sequence = headers.get("millrace-sequence");
  const key = headers.get("idempotency-key");
  if (id === null && sequence === null) {
    if (key === null) return { by: "isolate" };
    checkKey(key);
    return { by: "key", hash: await sha256(JSON.stringify([credential.id, source, key])) };
  }
  if (id === null || sequence === null) {
    throw new Problem(400, "Millrace-Producer and Millrace-Sequence: send both, or neither");
  }
  if (key !== null) {
    throw new Problem(400, "send Idempotency-Key, or Millrace-Producer with Millrace-Sequence, but not both");
  }
  if (credential.scopes.has("browser")) {
    throw new Problem(
      403,
      "Millrace-Producer: this key is a browser's and may not number requests; send Idempotency-Key",
    );
  }
  if (!/^[\x20-\x7e]{1,128}$/.test(id)) {
    throw new Problem(400, "Millrace-Producer: use 1 to 128 printable ASCII characters");
  }
  if (!/^(0|[1-9]\d{0,15})$/.test(sequence) || !Number.isSafeInteger(Number(sequence))) {
    throw new Problem(400, `Millrace-Sequence: use a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
  }
  const producer = (await sha256(JSON.stringify([credential.id, source, id]))).slice(0, 32);
  return { by: "client", producer, sequence: Number(sequence) };
}

function checkKey(key: string): void {
  const bytes = byteLength(key);
  if (bytes === 0 || bytes > MAX_KEY_BYTES) {
    throw new Problem(400, `Idempotency-Key: ${bytes} bytes long; use 1 to ${MAX_KEY_BYTES}`);
  }
  // The platform puts this in place of bytes that are no UTF-8: then different keys would look the same.
  if (key.includes("\ufffd"))
    throw new Problem(400, "Idempotency-Key: not valid UTF-8; use ASCII, to be safe");
}

/** Keeps clients from numbering far ahead: each number that is skipped costs every shard a bit for two weeks. */
export class Prefixes {
  /** The least recently used first. */
  readonly #known = new Map<string, number>();

  /** @throws Problem 409 when `sequence` is too far ahead, 503 when that cannot be told. */
  async check({ producer, sequence }: SegmentId, claims: Namespace<ClaimsRpc>): Promise<void> {
    const known = this.#known.get(producer) ?? 0;
    if (sequence < known + MAX_AHEAD) return;
    const prefix = await reach("the claims of this producer", () =>
      claims.getByName(producer).prefix(producer),
    );
    this.#remember(producer, prefix);
    if (sequence < prefix + MAX_AHEAD) return;
    throw new Problem(
      409,
      `Millrace-Sequence: ${sequence} is too far ahead; all numbers below ${prefix} have arrived, and the next may be up to ${prefix + MAX_AHEAD - 1}`,
      { prefix, limit: MAX_AHEAD },
    );
  }

  #remember(producer: string, prefix: number): void {
    this.#known.delete(producer);
    this.#known.set(producer, prefix);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN_PRODUCERS && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** What a new key costs: a call and a row, and another row when it is deleted. */
const NEW_KEY: Readonly<Usage> = { objects: 1, written: 2 };

/**
 * The identity that the gate keeps for an idempotency key: the same for 24 hours.
 *
 * @throws Problem 422 when the key was used with another body, 503 when the gate does not answer.
 */
export async function admit(
  hash: string,
  source: string,
  body: Body,
  strict: boolean,
  { gates, usage }: { readonly gates: Namespace<GateRpc>; readonly usage: OwnUsage },
): Promise<SegmentId> {
  const bodyHash = await sha256(JSON.stringify([body.kind, strict, await sha256(body.bytes)]));
  const gate = gates.getByName(gateName(source, shardOf(hash, GATES)));
  const answer = await reach("the gate of this key", () => gate.admit(hash, bodyHash));
  usage.add(answer.conflict || answer.fresh === undefined ? ONE_REQUEST : NEW_KEY);
  if (!answer.conflict) return answer.id;
  throw new Problem(
    422,
    "Idempotency-Key: used with another body within the last 24 hours; use a new key for a new request",
  );
}

/** Nothing has been sent yet when these calls fail, so it is safe to try again. */
async function reach<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    console.error(`${what}:`, error);
    throw new Problem(
      503,
      `${what} could not be reached; nothing was taken, try again`,
      { outcome: "none" },
      { "retry-after": "1" },
    );
  }
}

async function sha256(data: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
