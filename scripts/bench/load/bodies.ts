/** Bodies: the requests of a workload as bytes, made before any clock starts. */
import type { Workload } from "./protocol.ts";

/** Requests that are made of a workload, at most; then they come again. Events of a pool are about this many too. */
const POOL_EVENTS = 1_000_000;
const POOL_REQUESTS = 50_000;

export const EVENTS_PATH = "/v1/sources/clicks";

function urlOf(n: number): string {
  return `/products/item-${n}`;
}

/** The requests of a workload, whole: head and body. The same for each server but for its name. */
export function requestsOf(workload: Workload, host: string): Buffer[] {
  const count = Math.max(8, Math.min(POOL_REQUESTS, Math.ceil(POOL_EVENTS / workload.events)));
  const draw = drawer(workload);
  return Array.from({ length: count }, () =>
    post(host, JSON.stringify(Array.from({ length: workload.events }, () => ({ url: urlOf(draw()) })))),
  );
}

export function post(host: string, body: string): Buffer {
  const head = `POST ${EVENTS_PATH} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}

export function get(host: string, path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
}

/** Numbers of keys: all equally likely, or the n-th most popular 1/n as likely as the first (Zipf with exponent 1). */
export function drawer({ keys, spread }: Pick<Workload, "keys" | "spread">): () => number {
  let turn = 0;
  if (spread === "in turn") return () => turn++ % keys;
  const random = lcg(1);
  if (spread === "uniform") return () => Math.floor(random() * keys);
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let n = 0; n < keys; n++) {
    sum += 1 / (n + 1);
    sums[n] = sum;
  }
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = keys - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** A seeded generator, so that all runs send the same (Numerical Recipes' constants). */
function lcg(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
