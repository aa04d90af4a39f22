/** Erasures in workerd: the object's alarm carries them out, and no cell of any table has the key afterwards. */
import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  getQueueResult,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { ErasuresRpc, Namespace, ShardRpc } from "../../src/cloudflare/rpc.ts";
import { ERASURES_NAME, shardName } from "../../src/cloudflare/rpc.ts";
import { shardOf } from "../../src/hash.ts";
import worker from "../../workers/operator/index.ts";
import { message, producerOf } from "./clicks.ts";

const bindings = env as unknown as OperatorEnv;
const SHARDS = 4;
const KEY = "/users/alice@example.org";
const TABLES = ["log", "page", "meta", "dead_letter", "erasure"];

function shard(index: number) {
  const shards = bindings.SHARD as unknown as Namespace<ShardRpc & DurableObjectStub>;
  return shards.getByName(shardName(1, "page-views", index));
}

function erasures() {
  const objects = bindings.ERASURES as unknown as Namespace<ErasuresRpc & DurableObjectStub>;
  return objects.getByName(ERASURES_NAME);
}

async function deliver(sequence: number, urls: readonly string[]): Promise<void> {
  const body = message(urls, { producer: producerOf(77), sequence });
  const messages = [{ id: `m${sequence}`, timestamp: new Date(), attempts: 1, body }];
  const batch = createMessageBatch("millrace-clicks", messages);
  await worker.queue(batch, bindings);
  expect((await getQueueResult(batch, createExecutionContext())).explicitAcks).toEqual([`m${sequence}`]);
}

/** The cells of all tables of an object that hold the text. */
async function cellsWith(object: DurableObjectStub, text: string): Promise<string[]> {
  return runInDurableObject(object, (_instance, { storage: { sql } }) => {
    const tables = sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray()
      .map(({ name }) => name);
    expect(TABLES).toEqual(expect.arrayContaining(tables));
    return tables.flatMap((table) =>
      sql
        .exec(`SELECT * FROM "${table}"`)
        .toArray()
        .flatMap((row) =>
          Object.entries(row).flatMap(([column, value]) => {
            const content = value instanceof ArrayBuffer ? new TextDecoder().decode(value) : String(value);
            return content.includes(text) ? [`${table}.${column}`] : [];
          }),
        ),
    );
  });
}

it("erases by alarm, over evictions, and leaves the neighbours of the key alone", async () => {
  const neighbours = Array.from({ length: 50 }, (_, n) => `/pages/${n}`);
  for (let sequence = 0; sequence < 5; sequence++) await deliver(sequence, [KEY, KEY, ...neighbours]);
  const own = shard(shardOf(KEY, SHARDS));
  expect(await own.get(KEY)).toEqual({ key: KEY, value: 10 });
  expect(await cellsWith(own, KEY)).toContain("log.data");
  const before = await own.totals();

  const begun = await erasures().start("page-views", KEY);
  expect(begun).toMatchObject({ view: "page-views", status: "running", state: { keys: 0 } });
  expect(begun).not.toHaveProperty("work");
  await evictDurableObject(erasures());
  await evictDurableObject(own);
  // The alarm may have been on its way already: then there is none to run, or a second one with nothing to do.
  await expect
    .poll(async () => {
      await runDurableObjectAlarm(erasures());
      return (await erasures().report(begun.id))?.status;
    })
    .toBe("done");
  const report = await erasures().report(begun.id);
  expect(report).toMatchObject({
    state: { keys: 1, timers: 0 },
    deadLetters: 0,
    log: { shards: 8 },
    sinks: [],
  });
  expect(report?.log.rows).toBeGreaterThanOrEqual(5);

  expect(await own.get(KEY)).toBeNull();
  for (const object of [erasures(), ...Array.from({ length: SHARDS }, (_, index) => shard(index))]) {
    expect(await cellsWith(object, KEY)).toEqual([]);
    await evictDurableObject(object);
  }
  expect(await own.totals()).toEqual({ ...before, keys: before.keys - 1, total: before.total - 10 });
  for (const url of neighbours) {
    expect((await shard(shardOf(url, SHARDS)).get(url))?.value, url).toBe(5);
  }
  await deliver(5, [KEY]);
  expect(await own.get(KEY)).toEqual({ key: KEY, value: 1 });
});

it("knows no erasure that was never asked for", async () => {
  const nobody = (bindings.ERASURES as unknown as Namespace<ErasuresRpc>).getByName("nobody");
  expect(await nobody.report("e1")).toBeNull();
  expect(await erasures().report("none")).toBeNull();
});
