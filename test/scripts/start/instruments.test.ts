import { expect, test } from "vitest";
import {
  CONTROL_BINDING,
  CONTROL_HEADER,
  type Handler,
  type LedgerState,
  withLedger,
  withValve,
} from "../../../scripts/local/instruments.ts";

const env = { [CONTROL_BINDING]: "secret" };

async function control(handler: Handler, path = "/", secret = "secret"): Promise<unknown> {
  const request = new Request(`http://local${path}`, { headers: { [CONTROL_HEADER]: secret } });
  return (await handler.fetch?.(request, env, {}))?.json();
}

test("a closed valve refuses events and nothing else, and knows what is still being answered", async () => {
  const answer = Promise.withResolvers<Response>();
  const handler = withValve({
    fetch: ({ method }) => (method === "POST" ? answer.promise : Response.json("read")),
  });
  const post = () => handler.fetch?.(new Request("http://x/v1/sources/clicks", { method: "POST" }), env, {});
  const first = post();
  expect(await control(handler, "/close")).toEqual({ open: false, inFlight: 1 });
  const refused = await post();
  expect(refused?.status).toBe(503);
  expect(refused?.headers.get("retry-after")).toBe("5");
  expect(await refused?.json()).toMatchObject({ outcome: "none" });
  expect(await control(handler, "/close", "a guess")).toBe("read");
  answer.resolve(new Response(null, { status: 202 }));
  expect((await first)?.status).toBe(202);
  expect(await control(handler)).toEqual({ open: false, inFlight: 0 });
});

const quiet: LedgerState = { backlog: 0, unsettled: 0, outputs: 0, commits: 0 };

test("the ledger holds a message until it is acknowledged", async () => {
  const calls: string[] = [];
  const batch = (...ids: string[]) => ({
    queue: "q",
    messages: ids.map((id) => ({
      id,
      timestamp: new Date(0),
      body: id,
      attempts: 1,
      ack: () => void calls.push(`ack ${id}`),
      retry: () => void calls.push(`retry ${id}`),
    })),
    ackAll: () => void calls.push("ack all"),
    retryAll: () => void calls.push("retry all"),
  });
  const handler = withLedger({
    queue({ messages }) {
      if (messages.length > 3) throw new Error("all of it");
      for (const message of messages) {
        if (message.body === "bad" && !calls.includes("retry bad")) message.retry({ delaySeconds: 9 });
        else if (message.body !== "silent") message.ack();
      }
    },
  });
  await handler.queue?.(batch("good", "bad", "silent"), env, {});
  expect(calls).toEqual(["ack good", "retry bad"]);
  expect(await control(handler)).toEqual({ ...quiet, unsettled: 1 });
  await handler.queue?.(batch("bad"), env, {});
  expect(await control(handler)).toEqual(quiet);
  await expect(async () => await handler.queue?.(batch("a", "b", "c", "d"), env, {})).rejects.toThrow();
  expect(await control(handler)).toEqual({ ...quiet, unsettled: 4 });
});

test("the ledger adds up what shards have not handed over, and takes a silent one for one that has something", async () => {
  const stats: Record<string, { lsn: number; outbox: { segments: number } }> = {
    "1/a/0": { lsn: 5, outbox: { segments: 2 } },
    "1/a/1": { lsn: 7, outbox: { segments: 0 } },
  };
  const SHARD = {
    getByName: (name: string) => ({
      stats: async () => {
        if (stats[name] === undefined) throw new Error("no such shard");
        return stats[name];
      },
    }),
  };
  const ask = async (shards: readonly string[]) => {
    const headers = { [CONTROL_HEADER]: "secret" };
    const request = new Request("http://local/", { method: "POST", headers, body: JSON.stringify(shards) });
    return (await withLedger({}).fetch?.(request, { ...env, SHARD }, {}))?.json();
  };
  expect(await ask(["1/a/0", "1/a/1"])).toEqual({ ...quiet, outputs: 2, commits: 12 });
  expect(await ask(["1/a/1", "1/b/0"])).toEqual({ ...quiet, outputs: 1, commits: 7 });
  expect(await ask([])).toEqual(quiet);
});

test("buckets are listed over all pages, and read by name", async () => {
  const objects = ["a/1.ndjson", "a/2 ü.ndjson", "b"].map((key) => ({
    key,
    etag: `etag of ${key}`,
    size: 9,
  }));
  const FILES = {
    list: async ({ cursor = "0" }) => {
      const page = Number(cursor);
      const truncated = page + 1 < objects.length;
      return { objects: [objects[page]], truncated, ...(truncated && { cursor: String(page + 1) }) };
    },
    get: async (key: string) =>
      objects.some((object) => object.key === key) ? { body: new Response(`content of ${key}`).body } : null,
  };
  const ask = async (path: string) => {
    const request = new Request(`http://local${path}`, { headers: { [CONTROL_HEADER]: "secret" } });
    return withLedger({}).fetch?.(request, { ...env, FILES }, {});
  };
  expect(await (await ask("/buckets/FILES"))?.json()).toEqual(
    objects.map(({ key, etag }) => ({ key, etag })),
  );
  const found = await ask(`/buckets/FILES/${encodeURIComponent("a/2 ü.ndjson")}`);
  expect(await found?.text()).toBe("content of a/2 ü.ndjson");
  expect((await ask("/buckets/FILES/nothing"))?.status).toBe(404);
});
