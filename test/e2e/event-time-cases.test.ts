/** The reference cases of event time in workerd, at 1, 4 and 16 shards, with every object evicted between any two steps. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { coordinatorName, shardName } from "../../src/cloudflare/rpc.ts";
import { get, request } from "./client.ts";
import type { Step } from "./jobs/cases.ts";
import { plan, SHARDS } from "./jobs/cases.ts";
import { eventually } from "./support.ts";

const SECONDS =
  "key2@3999 key2@3000 key1@20 key1@0 key1@999 key2@1998 key2@1999 key2@1000 W999 W1999 W2999 W3999 W4999 W5999";

interface Case {
  readonly steps: string;
  readonly said: readonly string[];
  readonly late?: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  tumbling: {
    steps: SECONDS,
    said: ["key1=3 [0,3000)@2999", "key2=2 [3000,6000)@5999", "key2=3 [0,3000)@2999"],
  },
  sliding: {
    steps: SECONDS,
    said: [
      "key1=3 [-1000,2000)@1999",
      "key1=3 [-2000,1000)@999",
      "key1=3 [0,3000)@2999",
      "key2=2 [2000,5000)@4999",
      "key2=2 [3000,6000)@5999",
      "key2=3 [-1000,2000)@1999",
      "key2=3 [0,3000)@2999",
      "key2=5 [1000,4000)@3999",
    ],
  },
  purging: {
    steps: "k@500 W1500 k@1300 W2300 k@1997 W6000 k@1998 W7000",
    said: ["k=1 [0,2000)@1999", "k=2 [0,2000)@1999"],
    late: ["k1998@1998"],
  },
  session: {
    steps:
      "k@1000 W1999 k@2000 W4998 k@4500 k@8500 W7400 k@7000 W11501 k@11600 W14600 k@10000 k@14500 W20000",
    said: ["k=1 [11600,14600)@14599", "k=1 [14500,17500)@17499", "k=5 [1000,11500)@11499"],
    late: ["k10000@10000"],
  },
};

let runtime: Runtime;
let evicted = 0;

beforeAll(async () => {
  const module = new URL("jobs/cases.ts", import.meta.url).pathname;
  runtime = await startRuntime({ register: { module, plan } });
}, 60_000);

afterAll(() => runtime.dispose());

test.concurrent.each(Object.entries(CASES))(
  "%s",
  async (name, { steps, said, late = [] }) => {
    const operators = SHARDS.map((shards) => `${name}-${shards}`);
    for (const step of steps.split(" ")) {
      const [key = "", time] = step.startsWith("W") ? ["", step.slice(1)] : step.split("@");
      await post(
        name,
        key === "" ? { time: Number(time) } : { key, name: `${key}${time}`, time: Number(time) },
      );
      if (key === "") await reached(operators, Number(time));
      await evict(operators);
    }
    for (const operator of operators) {
      await eventually(async () => (await saidBy(`${operator}-said`)).length >= said.length, 100);
      expect(await saidBy(`${operator}-said`), operator).toEqual(said);
      await eventually(async () => (await saidBy(`${operator}-late`)).length >= late.length, 100);
      expect(await saidBy(`${operator}-late`), operator).toEqual(late);
    }
    expect(evicted).toBeGreaterThan(20);
  },
  180_000,
);

test.concurrent("interval join", async () => {
  const operators = SHARDS.map((shards) => `interval-${shards}`);
  const steps = "left A0@1000 A1@1001 A2@1002 A3@1003 right b@1000 c@1001 f@1100 a@999".split(" ");
  let side = "left";
  for (const step of steps) {
    const [name = "", time] = step.split("@");
    if (time === undefined) side = name;
    else await post(side, { key: "k", name, time: Number(time) });
    await evict(operators);
  }
  const pairs = ["A0b@1000", "A0c@1001", "A0f@1100", "A1c@1001", "A1f@1100", "A2f@1100", "A3f@1100"];
  for (const operator of operators) {
    await eventually(async () => (await saidBy(`${operator}-said`)).length >= pairs.length, 100);
    expect(await saidBy(`${operator}-said`), operator).toEqual(pairs);
  }
}, 120_000);

/** Sends a step, and waits until it is applied. */
async function post(source: string, step: Step): Promise<void> {
  const answer = await request(runtime, `/v1/sources/${source}`, {
    method: "POST",
    body: JSON.stringify(step),
    headers: { "content-type": "application/json" },
  });
  expect(answer.status, answer.text).toBe(202);
  await eventually(async () => {
    const { body } = await get(runtime, `/v1/tickets/${answer.body.ticket}`);
    return body.state === "applied";
  });
}

/** Waits until the operators have been told of a watermark, and have fired what was due. */
async function reached(operators: readonly string[], watermark: number): Promise<void> {
  await eventually(async () => {
    const { body } = await get(runtime, "/v1/health");
    const { watermarks } = body as unknown as {
      watermarks: { operators: { operator: string; watermark: string | null; nextTimer?: string }[] }[];
    };
    const mine = watermarks[0]?.operators.filter(({ operator }) => operators.includes(operator)) ?? [];
    return mine.every((one) => {
      if (one.watermark === null || Date.parse(one.watermark) < watermark) return false;
      return one.nextTimer === undefined || Date.parse(one.nextTimer) > watermark;
    });
  }, 100);
}

/** Throws the objects out of memory; what they have stored is all that is left. */
async function evict(operators: readonly string[]): Promise<void> {
  const names = operators.flatMap((name) => {
    const shards = plan.operators.get(name)?.shards ?? 0;
    return Array.from({ length: shards }, (_, shard) => shardName(plan.generation, name, shard));
  });
  const objects = [
    ...names.map((name) => ["ShardObject", name] as const),
    ["CoordinatorObject", coordinatorName(plan.generation, "cases")] as const,
  ];
  for (const [className, name] of objects) {
    try {
      await runtime.miniflare.unsafeEvictDurableObject("millrace-operator", className, { name });
      evicted++;
    } catch (error) {
      // One that has nothing to do is not there to be evicted.
      if (!/not currently running/.test(String(error))) throw error;
    }
  }
}

/** What a stream said, in order; each must have been said once. */
async function saidBy(view: string): Promise<string[]> {
  const { body } = await get(runtime, `/v1/views/${view}?limit=1000`);
  const entries = body.entries ?? [];
  expect(entries.filter(({ value }) => value !== 1)).toEqual([]);
  return entries.map(({ key }) => key);
}
