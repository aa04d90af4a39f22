/** As much of Cloudflare's API as wrangler asks for when it deploys these Workers. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface FakeCloudflare {
  readonly url: string;
  readonly queues: Set<string>;
  /** Every request that changes something: `PUT /workers/scripts/millrace`. */
  readonly changes: string[];
  /** Paths of the static assets that were uploaded. */
  readonly assets: string[];
}

/** Listens until the test ends. */
export async function startFakeCloudflare(...existing: string[]): Promise<FakeCloudflare> {
  const queues = new Set(existing);
  const changes: string[] = [];
  const assets: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://fake");
    const path = pathname.replace(/^\/accounts\/account(?=\/)/, "");
    const [status, result, error] = answer(request.method ?? "GET", path, searchParams, body);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ success: status === 200, errors: error ? [error] : [], messages: [], result }),
    );
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, queues, changes, assets };

  function answer(method: string, path: string, search: URLSearchParams, body: string) {
    if (method !== "GET") changes.push(`${method} ${path}`);
    if (path === "/queues" && method === "POST") {
      const { queue_name: name } = JSON.parse(body) as { queue_name: string };
      if (queues.has(name)) return bad(409, 11009, `Queue name '${name}' is already taken.`);
      queues.add(name);
      return good(queue(name));
    }
    if (path === "/queues") {
      const names = search.getAll("name");
      if (names.length > 0) return good(names.filter((name) => queues.has(name)).map(queue));
      // Pages of one, which are as hard as pages can be.
      return good([...queues].slice(Number(search.get("page")) - 1, Number(search.get("page"))).map(queue));
    }
    if (path.endsWith("/assets-upload-session")) {
      const { manifest } = JSON.parse(body) as { manifest: Record<string, { hash: string }> };
      assets.push(...Object.keys(manifest));
      // It has none of them yet.
      return good({ jwt: JWT, buckets: [Object.values(manifest).map(({ hash }) => hash)] });
    }
    if (path === "/workers/assets/upload") return good({ jwt: JWT });
    if (method === "GET" && path.startsWith("/workers/services/")) return bad(404, 10007, "no such Worker");
    return good(fixed.find(([pattern]) => pattern.test(path))?.[1] ?? {});
  }
}

/** A token that says nothing, of the form that tokens have. */
const JWT = `${btoa('{"alg":"none"}')}.${btoa("{}")}.`;

const fixed: readonly (readonly [RegExp, unknown])[] = [
  [/^\/user$/, { id: "user", email: "user@example.com" }],
  [
    /^\/(accounts|memberships)$/,
    [{ id: "account", name: "Account", account: { id: "account", name: "Account" } }],
  ],
  [/\/(secrets|consumers)$/, []],
  [/^\/workers\/workers\//, { subdomain: { enabled: true, previews_enabled: true }, observability: {} }],
  [/\/settings$/, { bindings: [], migration_tag: "", tags: [] }],
  [/\/subdomain$/, { subdomain: "example", enabled: true, previews_enabled: true }],
  [/\/deployments$/, { deployments: [] }],
  [/^\/workers\/scripts\/[^/]+$/, { id: "script", startup_time_ms: 5, deployment_id: "deployment" }],
];

function queue(name: string) {
  return {
    queue_id: name,
    queue_name: name,
    created_on: "2026-01-01T00:00:00Z",
    modified_on: "2026-01-01T00:00:00Z",
    producers: [],
    consumers: [],
    producers_total_count: 0,
    consumers_total_count: 0,
  };
}

function good(result: unknown) {
  return [200, result, undefined] as const;
}

function bad(status: number, code: number, message: string) {
  return [status, null, { code, message }] as const;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
