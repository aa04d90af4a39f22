/** Feeds and the shards that tell them, in workerd: one row while somebody watches, none of it when nobody does. */
import { createMessageBatch, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { feedUrl } from "../../src/cloudflare/live/topic.ts";
import type { FeedAnswer, FeedRpc, Namespace, ShardRpc } from "../../src/cloudflare/rpc.ts";
import { feedName, shardName, WATCH_VERSION } from "../../src/cloudflare/rpc.ts";
import { shardOf } from "../../src/hash.ts";
import worker from "../../workers/operator/index.ts";
import { message, producerOf } from "./clicks.ts";

const bindings = env as unknown as OperatorEnv;
const VIEW = "page-views";
const SHARDS = 4;
let sequence = 0;

function shard(key: string) {
  const shards = bindings.SHARD as unknown as Namespace<ShardRpc & DurableObjectStub>;
  return shards.getByName(shardName(1, VIEW, shardOf(key, SHARDS)));
}

function feed() {
  const feeds = bindings.FEED as unknown as Namespace<FeedRpc & DurableObjectStub>;
  return feeds.getByName(feedName(1, VIEW));
}

async function click(url: string): Promise<void> {
  const body = message([url], { producer: producerOf(77), sequence: sequence++ });
  const id = `feed-${sequence}`;
  await worker.queue(
    createMessageBatch("millrace-clicks", [{ id, timestamp: new Date(), attempts: 1, body }]),
    bindings,
  );
}

/** The feeds that a shard keeps, as they are stored. */
function watchersOf(key: string): Promise<string[]> {
  return runInDurableObject(shard(key), (_instance, { storage: { sql } }) => {
    const [row] = sql.exec<{ data: ArrayBuffer }>("SELECT data FROM meta WHERE name = 'watchers'").toArray();
    if (row === undefined) return [];
    return (JSON.parse(new TextDecoder().decode(row.data)) as { feeds: string[] }).feeds;
  });
}

async function watch(key: string) {
  const answer: FeedAnswer = await feed().fetch(feedUrl({ key }), { headers: { upgrade: "websocket" } });
  const socket = answer.webSocket;
  if (socket === null || socket === undefined) throw new Error(`no socket: ${await answer.text()}`);
  const told: { type: string; entries: { value: unknown }[] }[] = [];
  socket.addEventListener("message", ({ data }) => void told.push(JSON.parse(String(data))));
  socket.accept();
  return { socket, told };
}

async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 500; n++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it did not come about");
}

it("keeps a row in each shard while somebody watches, over evictions, and takes it away when nobody does", async () => {
  const key = "/watched";
  await click(key);
  expect(await watchersOf(key)).toEqual([]);
  const { socket, told } = await watch(key);
  await eventually(() => told.length === 1);
  expect(await watchersOf(key)).toEqual([feedName(1, VIEW)]);
  // Said again it is no second row.
  await shard(key).watch({ v: WATCH_VERSION, feed: feedName(1, VIEW) });
  expect(await watchersOf(key)).toEqual([feedName(1, VIEW)]);
  await evictDurableObject(shard(key));
  await evictDurableObject(feed());
  await click(key);
  await eventually(() => told.at(-1)?.entries[0]?.value === 2);
  socket.close();
  await eventually(async () => {
    await click(key);
    return (await watchersOf(key)).length === 0;
  });
  const again = await watch(key);
  const value = ((await shard(key).get(key))?.value as number) ?? 0;
  await eventually(() => again.told.at(-1)?.entries[0]?.value === value);
  await click(key);
  await eventually(() => again.told.at(-1)?.entries[0]?.value === value + 1);
  again.socket.close();
});

it("answers questions that come together in one call, each for itself", async () => {
  const key = "/many";
  await click(key);
  const [got, ranked, failed, again] = await shard(key).many(
    [
      ["get", key],
      ["range", { prefix: "/many", limit: 10 }],
      ["windows", { limit: 10 }],
    ],
    feedName(1, VIEW),
    true,
  );
  expect(again).toEqual({ value: false });
  expect(got).toEqual({ value: { key, value: 1 } });
  expect(ranked).toEqual({ value: [{ key, value: 1 }] });
  expect(failed).toHaveProperty("value");
});
