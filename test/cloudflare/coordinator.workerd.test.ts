/** The coordinator of watermarks in workerd: its row survives evictions, its alarm makes the rounds, reports may come twice. */
import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  getQueueResult,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { CoordinatorRpc, Namespace, ShardRpc } from "../../src/cloudflare/rpc.ts";
import { coordinatorName, shardName } from "../../src/cloudflare/rpc.ts";
import type { Admission, CommittedSegment } from "../../src/engine/watermark/protocol.ts";
import { WATERMARK_VERSION } from "../../src/engine/watermark/protocol.ts";
import worker from "../../workers/operator/index.ts";
import { message, producerOf } from "./clicks.ts";

const bindings = env as unknown as OperatorEnv;
const SHARDS = 4;
const MINUTE = 60_000;
const source = "clicks";
const v = WATERMARK_VERSION;

function coordinator(generation = 1) {
  const objects = bindings.COORDINATOR as unknown as Namespace<CoordinatorRpc & DurableObjectStub>;
  return objects.getByName(coordinatorName(generation, "clickstream"));
}

/** A hold that nobody gives up on while a test runs, however early it starts. */
function opening(hold: string, start: number) {
  return { v, opened: [{ source, hold, start, until: Date.now() + 10 * MINUTE }], closed: [] };
}

function closing(hold: string, sent: number) {
  return { v, opened: [], closed: [{ source, hold, sent, lost: [], unsure: [] }] };
}

async function deliver(body: string, queue = "millrace-clicks"): Promise<void> {
  const batch = createMessageBatch(queue, [{ id: "m", timestamp: new Date(), attempts: 1, body }]);
  await worker.queue(batch, bindings);
  expect((await getQueueResult(batch, createExecutionContext())).explicitAcks).toEqual(["m"]);
}

async function held(generation = 1): Promise<number | undefined> {
  return (await coordinator(generation).status()).sources[source]?.holds;
}

/** Its rows, as they are stored. */
function rowsOf(generation: number): Promise<string[]> {
  return runInDurableObject(coordinator(generation), (_instance, { storage: { sql } }) =>
    sql
      .exec<{ data: string }>("SELECT data FROM state")
      .toArray()
      .map(({ data }) => data),
  );
}

describe("what it was told", () => {
  it("is one row, survives evictions between any two reports, and counts once however often it is said", async () => {
    const start = Date.now() - MINUTE;
    const segment = (n: number): CommittedSegment => ({ source, hold: "h", n, arrival: start + n });
    const said = [
      () => coordinator(2).holds(opening("h", start)),
      () => coordinator(2).committed({ v, segments: [segment(1)] }),
      () => coordinator(2).holds(closing("h", 2)),
    ];
    for (const say of said) {
      await say();
      await evictDurableObject(coordinator(2));
      await say();
      expect(await held(2)).toBe(1);
      expect((await coordinator(2).status()).sources[source]?.frontier).toBe(start);
    }
    await coordinator(2).committed({ v, segments: [segment(0), segment(1)] });
    await evictDurableObject(coordinator(2));
    expect(await held(2)).toBe(0);
    // Said once more it is still complete.
    await coordinator(2).holds(opening("h", start));
    expect(await held(2)).toBe(0);
    expect(await rowsOf(2)).toHaveLength(1);
  });

  it("is written only when it has changed", async () => {
    const report = opening("same", Date.now() - MINUTE);
    await coordinator(3).holds(report);
    // JSON as good as the one before, and another text.
    await runInDurableObject(coordinator(3), (_instance, { storage: { sql } }) => {
      sql.exec("UPDATE state SET data = data || ' '");
    });
    await coordinator(3).holds(report);
    expect((await rowsOf(3))[0]).toMatch(/ $/);
    await coordinator(3).holds(closing("same", 1));
    expect((await rowsOf(3))[0]).not.toMatch(/ $/);
  });

  it("sets no alarm while nobody waits", async () => {
    await coordinator(4).holds(opening("idle", Date.now() - MINUTE));
    await coordinator(4).holds(closing("idle", 0));
    expect(await runDurableObjectAlarm(coordinator(4))).toBe(false);
    await coordinator(4).want({ v, operator: "page-views-per-minute", shard: 0, at: Date.now() + MINUTE });
    expect(await runDurableObjectAlarm(coordinator(4))).toBe(true);
  });

  it("is refused when it comes from code that says it in another way", async () => {
    // Within the object: over RPC the runtime reports the error besides.
    await runInDurableObject(coordinator(5), async (object) => {
      const { committed } = object as unknown as CoordinatorRpc;
      await expect(committed.call(object, { v: 99, segments: [] })).rejects.toThrow("version 99");
    });
  });
});

describe("a window", () => {
  const url = "/of-a-minute";
  const start = Math.floor(Date.now() / MINUTE) * MINUTE - 20 * MINUTE;
  const shards = bindings.SHARD as unknown as Namespace<ShardRpc & DurableObjectStub>;
  const shard = (n: number) => shards.getByName(shardName(1, "page-views-per-minute", n));

  async function windows() {
    const range = { key: url, limit: 10 };
    const all = await Promise.all(Array.from({ length: SHARDS }, (_, n) => shard(n).windows(range)));
    return all.flat().map(({ value, final }) => ({ value, final }));
  }

  it("stays open while a hold is, over evictions, and is closed by alarm when all under it is committed", async () => {
    const segment = (n: number) =>
      message([url], { producer: producerOf(900), sequence: n, arrival: start, time: { hold: "w", n } });
    await coordinator().holds(opening("w", start));
    await deliver(segment(0));
    await deliver(segment(0));
    await coordinator().holds(closing("w", 2));
    await runDurableObjectAlarm(coordinator());
    expect(await windows()).toEqual([{ value: 1, final: false }]);
    expect(await held()).toBe(1);

    await evictDurableObject(coordinator());
    for (let n = 0; n < SHARDS; n++) await evictDurableObject(shard(n));
    await deliver(segment(1));
    // The alarm may have been on its way already: then there is none to run, or one with nothing to do.
    await expect
      .poll(
        async () => {
          await runDurableObjectAlarm(coordinator());
          return windows();
        },
        { timeout: 10_000 },
      )
      .toEqual([{ value: 2, final: true }]);
    const { operators } = await coordinator().status();
    expect(operators["page-views-per-minute"]?.watermark).toBeGreaterThan(start + MINUTE);
  });

  it("does not wait for what its queue has given up on", async () => {
    const body = message([url], {
      ...{ producer: producerOf(901), sequence: 0, arrival: Date.now() },
      time: { hold: "dead", n: 0 },
    });
    await coordinator().holds(opening("dead", Date.now()));
    await coordinator().holds(closing("dead", 1));
    expect(await held()).toBe(1);
    await deliver(body, "millrace-clicks-dead");
    expect(await held()).toBe(0);
    // Nobody knows what a message that cannot be read has held: it is buried all the same.
    await deliver("{not json", "millrace-clicks-dead");
  });
});

it("lets the requests of a replay in, in their order, over evictions", async () => {
  const ask = (sequence: number, latest: number): Admission => ({
    ...{ v, source, producer: "log", sequence, earliest: latest, latest, end: sequence === 2 },
  });
  expect(await coordinator(6).admit(ask(1, 20))).toEqual({ wait: 0 });
  expect(await coordinator(6).admit(ask(0, 30))).toEqual({ front: -1 });
  await evictDurableObject(coordinator(6));
  expect(await coordinator(6).admit(ask(0, 30))).toEqual({ front: -1 });
  expect(await coordinator(6).admit(ask(2, 50))).toEqual({ wait: 1 });
  expect(await coordinator(6).admit(ask(1, 20))).toEqual({ front: 30 });
  await evictDurableObject(coordinator(6));
  expect(await coordinator(6).admit(ask(2, 50))).toEqual({ front: 30 });
  expect((await coordinator(6).status()).sources[source]?.replays).toBe(1);
  const segments = [0, 1, 2].map((n): CommittedSegment => ({ source, hold: "log", n, arrival: 0 }));
  await coordinator(6).committed({ v, segments });
  expect((await coordinator(6).status()).sources[source]?.replays).toBe(0);
});
