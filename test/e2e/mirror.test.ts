/** One job in memory and in real workerd: what it emits is the same, event by event. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import type { Event } from "../../src/index.ts";
import { JobStarter } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";
import { applied, request } from "./client.ts";
import type { Bucket, Reading } from "./jobs/mirror.ts";
import { job, plan } from "./jobs/mirror.ts";
import { eventually } from "./support.ts";

const EVENTS = 10_000;
const A_REQUEST = 500;

let runtime: Runtime;
const readings = randomReadings(new Random(20_260_101));

beforeAll(async () => {
  const module = new URL("jobs/mirror.ts", import.meta.url).pathname;
  runtime = await startRuntime({ register: { module, plan } });
});

afterAll(() => runtime.dispose());

it("emits the same in memory and in workerd", async () => {
  const inMemory = await runInMemory();
  const inWorkerd = await runInWorkerd(inMemory.events.length);
  expect(inMemory.events.length).toBeGreaterThan(EVENTS / 2);
  // Across requests a queue has no order, so a value may have another place; but each place is taken once.
  expect(inWorkerd.events.map(withoutPlace)).toEqual(inMemory.events.map(withoutPlace));
  expect(placesOf(inWorkerd.events)).toEqual(placesOf(inMemory.events));
  expect(inWorkerd.tenths).toEqual(inMemory.tenths);
  expect(inWorkerd.perValue).toEqual(inMemory.perValue);
});

interface Emitted {
  readonly events: readonly Event<{ sensor: string; value: number; n: number }>[];
  /** How many went to the side, by sensor. */
  readonly tenths: Readonly<Record<string, number>>;
  readonly perValue: readonly unknown[];
}

async function runInMemory(): Promise<Emitted> {
  const objects = new Map<string, string>();
  const bucket: Bucket = { put: async (key, value) => objects.set(key, value) };
  const starter = new JobStarter(job, { env: { BATCHES: bucket } });
  await starter.run({ readings });
  await eventually(async () => {
    starter.shards.wake();
    await starter.shards.idle();
    return starter.shards.nextDue() === undefined;
  });
  return emitted(objects, starter.view("per-value").entries());
}

async function runInWorkerd(expected: number): Promise<Emitted> {
  const answers = [];
  for (let at = 0; at < readings.length; at += A_REQUEST) {
    const body = JSON.stringify(readings.slice(at, at + A_REQUEST));
    const headers = { "content-type": "application/json" };
    const answer = await request(runtime, "/v1/sources/readings", { method: "POST", body, headers });
    expect(answer.status).toBe(202);
    answers.push(answer);
  }
  await applied(runtime, answers);
  let found: Emitted | undefined;
  await eventually(async () => {
    const page = await request(runtime, "/v1/views/per-value?limit=1000");
    found = emitted(await objectsOf(runtime), page.body.entries ?? []);
    return found.events.length >= expected && sumOf(found.perValue) >= expected;
  });
  return found as Emitted;
}

async function objectsOf({ miniflare }: Runtime): Promise<Map<string, string>> {
  const bucket = await miniflare.getR2Bucket("BATCHES", "millrace-operator");
  const objects = new Map<string, string>();
  const { objects: listed } = await bucket.list();
  for (const { key } of listed) objects.set(key, (await (await bucket.get(key))?.text()) ?? "");
  return objects;
}

function emitted(objects: ReadonlyMap<string, string>, perValue: readonly unknown[]): Emitted {
  const events: Emitted["events"][number][] = [];
  const tenths: Record<string, number> = {};
  for (const [key, text] of objects) {
    const batch = JSON.parse(text) as Event<unknown>[];
    if (key.startsWith("all/")) events.push(...(batch as Emitted["events"]));
    else for (const { data } of batch) tenths[data as string] = (tenths[data as string] ?? 0) + 1;
  }
  events.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { events, tenths, perValue };
}

function withoutPlace({ data: { n: _, ...data }, ...event }: Emitted["events"][number]) {
  return { ...event, data };
}

function placesOf(events: Emitted["events"]): Record<string, number[]> {
  const places: Record<string, number[]> = {};
  for (const { data } of events) {
    places[data.sensor] ??= [];
    places[data.sensor]?.push(data.n);
  }
  for (const list of Object.values(places)) list.sort((a, b) => a - b);
  return places;
}

function sumOf(entries: readonly unknown[]): number {
  return (entries as { value: number }[]).reduce((sum, { value }) => sum + value, 0);
}

function randomReadings(random: Random): Reading[] {
  return Array.from({ length: EVENTS }, (_, n) => ({
    id: `r${String(n).padStart(5, "0")}`,
    time: 1_750_000_000_000 + random.int(0, 1_000_000),
    sensor: random.chance(0.05) ? "broken" : `s${random.int(0, 40)}`,
    values: Array.from({ length: random.int(0, 3) }, () => random.int(0, 1000)),
  }));
}
