/** Keys: who calls, and what he may do. */
import { Problem } from "./problem.ts";

/** `browser` marks a key that anyone can read in a page's source. */
export type Scope = "ingest" | "read" | "admin" | "browser";

export interface KeysEnv {
  /** `{"<key>": ["ingest", "read", "admin", "browser"]}`, a secret. */
  readonly KEYS?: string;
  /** `yes` lets everybody do everything. */
  readonly OPEN?: string;
}

export interface Credential {
  /** Stable and short, the same for the same key; says nothing about it. `open` for everybody. */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
}

interface KnownKey extends Credential {
  readonly digest: Uint8Array;
}

const SCOPES: readonly string[] = ["ingest", "read", "admin", "browser"] satisfies Scope[];
const EVERYTHING: ReadonlySet<Scope> = new Set<Scope>(["ingest", "read", "admin"]);
const HOW_TO_SET =
  'set keys with `wrangler secret put KEYS`, like {"<key>": ["ingest", "read", "admin"]}, or open it on purpose with OPEN = "yes" under [vars]; do it for the ingest and for the query Worker';

/** The keys of the last `KEYS` seen: a Worker's configuration does not change while it runs. */
let parsed: { readonly text: string; readonly keys: readonly KnownKey[] } | undefined;

/**
 * The credential of a request, from `Authorization: Bearer <key>` or `?access_key=<key>`.
 *
 * An open deployment (`OPEN = "yes"`) lets everybody do everything; a known key still keeps its own id and, if it is
 * one, its mark as a browser's.
 *
 * @throws Problem 401 without a key or with an unknown one, 403 when it may not do this, 503 when no keys are set.
 */
export async function requireScope(request: Request, env: KeysEnv, scope: Scope): Promise<Credential> {
  const open = env.OPEN === "yes";
  const keys = await knownKeys(env, open);
  const key = keyOf(request);
  const known = key === undefined ? undefined : await find(keys, key);
  if (open) {
    const scopes =
      known?.scopes.has("browser") === true ? new Set([...EVERYTHING, ...known.scopes]) : EVERYTHING;
    return { id: known?.id ?? "open", scopes };
  }
  if (known === undefined) {
    const why = key === undefined ? "this needs a key" : "this key is not known";
    throw new Problem(
      401,
      `${why}: send Authorization: Bearer <key>, or ?access_key=<key> where a header cannot be set`,
      {},
      { "www-authenticate": 'Bearer realm="millrace"' },
    );
  }
  if (!known.scopes.has(scope)) {
    throw new Problem(403, `this key may not do this; it needs the scope "${scope}"`);
  }
  return { id: known.id, scopes: known.scopes };
}

function keyOf(request: Request): string | undefined {
  const header = request.headers.get("authorization");
  if (header !== null) return /^bearer +(\S+) *$/i.exec(header)?.[1];
  const { url } = request;
  // Most requests have no query, and to take a URL apart takes as long as to route a request.
  return url.includes("?") ? new URL(url).searchParams.get("access_key") || undefined : undefined;
}

async function knownKeys({ KEYS }: KeysEnv, open: boolean): Promise<readonly KnownKey[]> {
  if (KEYS === undefined || KEYS.trim() === "") {
    if (open) return [];
    throw new Problem(503, `this deployment has no keys yet, so it refuses everything: ${HOW_TO_SET}`);
  }
  if (parsed?.text !== KEYS) parsed = { text: KEYS, keys: await parseKeys(KEYS) };
  return parsed.keys;
}

async function parseKeys(text: string): Promise<KnownKey[]> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The message of the cause would quote the secret.
    throw new Problem(503, `the secret KEYS is not JSON: ${HOW_TO_SET}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Problem(503, `the secret KEYS is not an object of keys: ${HOW_TO_SET}`);
  }
  return Promise.all(
    Object.entries(value).map(async ([key, scopes]: [string, unknown]) => {
      if (key === "" || !Array.isArray(scopes) || !scopes.every((scope) => SCOPES.includes(scope))) {
        throw new Problem(
          503,
          `the secret KEYS gives a key something else than a list of scopes: ${HOW_TO_SET}`,
        );
      }
      const digest = await sha256(key);
      return { digest, id: toHex(digest).slice(0, 16), scopes: new Set<Scope>(scopes) };
    }),
  );
}

/** Compares digests, and with every key to the end, so that the time taken says nothing about any of them. */
async function find(keys: readonly KnownKey[], key: string): Promise<KnownKey | undefined> {
  const digest = await sha256(key);
  let found: KnownKey | undefined;
  for (const known of keys) {
    let difference = 0;
    for (let i = 0; i < digest.length; i++) difference |= (digest[i] as number) ^ (known.digest[i] as number);
    if (difference === 0) found = known;
  }
  return found;
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
