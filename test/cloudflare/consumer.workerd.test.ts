/** The operator Worker in workerd: real batches, real Durable Objects; asserts acks and retries, not only counts. */
import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  getQueueResult,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { Namespace, ShardRpc } from "../../src/cloudflare/rpc.ts";
import { isUnknownMethod, shardName } from "../../src/cloudflare/rpc.ts";
import { ProducerKind } from "../../src/engine/segment.ts";
import type { SegmentOutcome } from "../../src/engine/shard/recent-segments.ts";
import { shardOf } from "../../src/hash.ts";
import worker from "../../workers/operator/index.ts";
import { message, producerOf } from "./clicks.ts";

const bindings = env as unknown as OperatorEnv;
const SHARDS = 4;
let test = 0;

function shard(index: number) {
  // The generated types give `never` for a value that may be anything.
  const shards = bindings.SHARD as unknown as Namespace<ShardRpc & DurableObjectStub>;
  return shards.getByName(shardName(1, "page-views", index));
}

async function deliver(bodies: readonly unknown[], queue = "millrace-clicks") {
  const messages = bodies.map((body, n) => ({
    id: `${test}-${n}`,
    timestamp: new Date(),
    attempts: 1,
    body,
  }));
  const batch = createMessageBatch(queue, messages);
  await worker.queue(batch, bindings);
  return getQueueResult(batch, createExecutionContext());
}

async function count(url: string): Promise<unknown> {
  return (await shard(shardOf(url, SHARDS)).get(url))?.value;
}

beforeEach(() => {
  test++;
});

describe("the consumer", () => {
  it("counts each message once, whatever is delivered again", async () => {
    const url = `/again-${test}`;
    const producer = producerOf(test);
    const first = message([url, url], { producer, sequence: 0 });
    const second = message([url], { producer, sequence: 1 });
    expect((await deliver([first])).explicitAcks).toEqual([`${test}-0`]);
    await deliver([first]);
    await deliver([second, first, first]);
    expect(await count(url)).toBe(3);
    await evictDurableObject(shard(shardOf(url, SHARDS)));
    expect((await deliver([first, second])).explicitAcks).toEqual([`${test}-0`, `${test}-1`]);
    expect(await count(url)).toBe(3);
  });

  it("has shards tell when they applied a segment, woken up again, too", async () => {
    const url = `/when-${test}`;
    const id = { producer: producerOf(test), sequence: 0 };
    const earlier = Date.now();
    await deliver([message([url], id)]);
    const object = shard(shardOf(url, SHARDS));
    const [outcome] = await object.outcomes([id]);
    expect(outcome).toMatchObject({ lsn: expect.any(Number), late: 0, dead: 0 });
    const { time } = outcome as SegmentOutcome;
    expect(time).toBeGreaterThanOrEqual(earlier);
    expect(time).toBeLessThanOrEqual(Date.now());
    await evictDurableObject(object);
    expect(await object.outcomes([id, { ...id, sequence: 1 }])).toEqual([outcome, false]);
  });

  it("meets objects that lack a method with the error by which it is told from others", async () => {
    const newer = shard(0) as unknown as { fromAnotherDeploy(): Promise<void> };
    const error: unknown = await newer.fromAnotherDeploy().catch((thrown: unknown) => thrown);
    expect(isUnknownMethod(error)).toBe(true);
    const refused: unknown = await shard(0)
      .apply("{}", [])
      .catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(Error);
    expect(isUnknownMethod(refused)).toBe(false);
  });

  it("tolerates an empty batch", async () => {
    const result = await deliver([]);
    expect(result.outcome).toBe("ok");
    expect(result.retryMessages).toEqual([]);
  });

  it("retries what it cannot read, and acknowledges its neighbours", async () => {
    const url = `/neighbour-${test}`;
    const good = message([url], { producer: producerOf(test), sequence: 0 });
    const result = await deliver(["{not json", good, good.replace("[1,", "[99,"), { an: "object" }]);
    expect(result.explicitAcks).toEqual([`${test}-1`]);
    expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual([`${test}-0`, `${test}-2`, `${test}-3`]);
    expect(await count(url)).toBe(1);
  });

  it("retries another generation, another shard count and an unknown operator, and never acknowledges them away", async () => {
    const good = message([`/g-${test}`], { producer: producerOf(test), sequence: 0 });
    const result = await deliver([
      good.replace("[1,1,", "[1,2,"),
      good.replace('["page-views",4', '["page-views",8'),
      good.replace('"page-views"', '"page-visits"'),
    ]);
    expect(result.explicitAcks).toEqual([]);
    expect(result.retryMessages).toHaveLength(3);
    expect(await count(`/g-${test}`)).toBeUndefined();
  });

  it("lets a client's segment count for one plan only, also when a deploy came between its copies", async () => {
    const url = `/deploy-${test}`;
    const producer = producerOf(test);
    const kind = ProducerKind.client;
    const before = message([url], { producer, sequence: 0, kind, fingerprint: "old" });
    const after = message([url, `/other-${test}`], { producer, sequence: 0, kind, fingerprint: "new" });
    const result = await deliver([before, after]);
    expect(result.explicitAcks).toEqual([`${test}-0`, `${test}-1`]);
    expect(await count(url)).toBe(1);
    expect(await count(`/other-${test}`)).toBeUndefined();
    await evictDurableObject(bindings.CLAIMS.getByName(producer));
    await deliver([after, before]);
    expect(await count(url)).toBe(1);
    expect(await bindings.CLAIMS.getByName(producer).prefix(producer)).toBe(1);
  });

  it("moves what a queue gave up on into the graveyard once, from where it can be sent again", async () => {
    const graveyard = bindings.GRAVEYARD.getByName("messages");
    const url = `/buried-${test}`;
    const body = message([url], { producer: producerOf(test), sequence: 0 });
    await deliver([body], "millrace-clicks-dead");
    const again = await deliver([body], "millrace-clicks-dead");
    expect(again.explicitAcks).toEqual([`${test}-0`]);
    const buried = (await graveyard.list(0, 10)).filter((entry) => entry.id === `${test}-0`);
    expect(buried).toHaveLength(1);
    expect(buried[0]).toMatchObject({ queue: "millrace-clicks-dead", body, redrivable: true });
    expect(await graveyard.redrive([buried[0]?.number ?? 0])).toBe(1);
    expect((await graveyard.list(0, 10)).filter((entry) => entry.id === `${test}-0`)).toHaveLength(0);
  });

  it("buries what was accepted before the horizon, since nobody remembers whether it was applied", async () => {
    const old = message([`/old-${test}`], {
      producer: producerOf(test),
      sequence: 0,
      arrival: Date.now() - 15 * 86_400_000,
    });
    expect((await deliver([old])).explicitAcks).toEqual([`${test}-0`]);
    expect(await count(`/old-${test}`)).toBeUndefined();
    const buried = await bindings.GRAVEYARD.getByName("messages").list(0, 100);
    expect(buried.find((entry) => entry.id === `${test}-0`)?.redrivable).toBe(false);
  });
});

describe("a shard", () => {
  it("evicted between any two calls counts like one that never was", async () => {
    const producer = producerOf(1000);
    const pages = Array.from({ length: 40 }, (_, n) => `/evicted/${n}`);
    for (let sequence = 0; sequence < 30; sequence++) {
      const urls = pages.filter((_, n) => (n * 7 + sequence) % 3 !== 0);
      await deliver([message(urls, { producer, sequence })]);
      for (let index = 0; index < SHARDS; index++) {
        if ((sequence + index) % 2 === 0) await evictDurableObject(shard(index));
      }
    }
    for (const [n, url] of pages.entries()) {
      const expected = Array.from({ length: 30 }, (_, sequence) => sequence).filter(
        (s) => (n * 7 + s) % 3 !== 0,
      ).length;
      expect(await count(url), url).toBe(expected);
    }
  });

  it("keeps keys that SQL, JSON and JavaScript treat specially", async () => {
    const urls = [
      "__proto__",
      "constructor",
      "a\u0000b",
      "'; DROP TABLE page; --",
      "🙂",
      "a\u2028b",
      "%00",
      '"',
      "\\",
    ];
    await deliver([message(urls, { producer: producerOf(test), sequence: 0 })]);
    for (let index = 0; index < SHARDS; index++) {
      await evictDurableObject(shard(index));
    }
    for (const url of urls) expect(await count(url), JSON.stringify(url)).toBe(1);
  });

  it("writes one row a call", async () => {
    const urls = Array.from({ length: 500 }, (_, n) => `/row/${test}/${n}`);
    await deliver([message(urls, { producer: producerOf(test), sequence: 0 })]);
    const before = await Promise.all(Array.from({ length: SHARDS }, (_, index) => shard(index).stats()));
    await deliver(
      Array.from({ length: 10 }, (_, n) => message(urls, { producer: producerOf(test), sequence: n + 1 })),
    );
    const after = await Promise.all(Array.from({ length: SHARDS }, (_, index) => shard(index).stats()));
    expect(after.map(({ rowsWritten }, n) => rowsWritten - (before[n]?.rowsWritten ?? 0))).toEqual([
      1, 1, 1, 1,
    ]);
  });
});

describe("the registry", () => {
  it("refuses an operator whose shards or state changed under its name", async () => {
    const registry = bindings.REGISTRY.getByName(`test-${test}`);
    const identity = { schema: 1, generation: 1, operator: "o", shard: 3, shards: 4, signature: "count@1" };
    expect(await registry.register(identity)).toBeNull();
    expect(await registry.register({ ...identity, shard: 0 })).toBeNull();
    expect(await registry.register({ ...identity, shards: 8 })).toMatch(/shards 4, the job says 8/);
    expect(await registry.register({ ...identity, signature: "sum@1" })).toMatch(
      /signature count@1, the job says sum@1/,
    );
    expect(await registry.register({ ...identity, generation: 2, shards: 8 })).toBeNull();
  });
});

describe("the gate", () => {
  it("gives a key one identity for its body, and refuses another body, after an eviction too", async () => {
    const gate = bindings.GATE.getByName(`test/${test}`);
    const first = await gate.admit("k1", "b1");
    expect(first).toMatchObject({ conflict: false, id: { sequence: 0 }, fresh: true });
    expect(await gate.admit("k2", "b1")).toMatchObject({ conflict: false, id: { sequence: 1 } });
    await evictDurableObject(gate);
    const { fresh: _, ...known } = first as { fresh?: true };
    expect(await gate.admit("k1", "b1")).toEqual(known);
    expect(await gate.admit("k1", "b2")).toEqual({ conflict: true });
    expect(await gate.admit("k3", "b3")).toMatchObject({ conflict: false, id: { sequence: 2 } });
  });
});
