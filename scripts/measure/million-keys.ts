/** A shard with a million keys: what a read, a wake-up and its memory cost. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ShardRpc } from "../../src/cloudflare/rpc.ts";
import { shardOf } from "../../src/hash.ts";
import { memory, workerds } from "../bench/process.ts";
import type { Runtime } from "../local/runtime.ts";
import { startRuntime } from "../local/runtime.ts";
import { Load, shards } from "./load.ts";

const KEYS = 1_000_000;
const SHARD = 0;
const READS = 200;

export async function measureMillionKeys(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), "millrace-measure-"));
  const runtime = await startRuntime({ stateDir });
  try {
    const empty = workerdMemory();
    const urls = ownUrls();
    const load = new Load(runtime);
    let started = performance.now();
    for (let at = 0; at < KEYS; at += 2_000) await load.request(urls.slice(at, at + 2_000));
    // A second look at some of them, so that the top is not one large tie.
    for (let at = 0; at < 100_000; at += 2_000)
      await load.request(urls.slice(at, at + 2_000).filter((_, n) => n % 3 === 0));
    await load.flush();
    const stats = await (await own(runtime)).stats();
    console.log(
      `  filled with ${stats.keys.toLocaleString("en")} keys in ${seconds(started)}: ${stats.rowsWritten} rows, ${stats.pages} pages`,
    );
    console.log(`  memory of the whole runtime: ${empty} MB empty, ${workerdMemory()} MB now`);

    await runtime.restart();
    started = performance.now();
    await (await own(runtime)).totals();
    console.log(`  wake-up, with the first answer: ${seconds(started)}; memory ${workerdMemory()} MB`);
    await reads(
      "one key",
      runtime,
      (n) => `/v1/views/page-views?key=${encodeURIComponent(urls[(n * 7919) % KEYS] as string)}`,
    );
    await reads("top=10", runtime, () => "/v1/views/page-views?top=10");
    await reads(
      "prefix, 100 entries",
      runtime,
      (n) => `/v1/views/page-views?prefix=/item/${(n * 13) % 1000}`,
    );
    await reads("total", runtime, () => "/v1/views/page-views?total=1");
    console.log(`  memory after the reads: ${workerdMemory()} MB`);
  } finally {
    await runtime.dispose();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** A million URLs that all live in one shard. */
function ownUrls(): string[] {
  const urls: string[] = [];
  for (let n = 0; urls.length < KEYS; n++) {
    const url = `/item/${n}`;
    if (shardOf(url, 4) === SHARD) urls.push(url);
  }
  return urls;
}

async function own(runtime: Runtime): Promise<ShardRpc> {
  return (await shards(runtime))[SHARD] as ShardRpc;
}

async function reads(name: string, runtime: Runtime, path: (n: number) => string): Promise<void> {
  const times: number[] = [];
  for (let n = 0; n < READS; n++) {
    const started = performance.now();
    const response = await runtime.fetch(path(n));
    if (!response.ok) throw new Error(`${path(n)}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(share * (READS - 1))] as number).toFixed(1);
  console.log(`  ${name}, over HTTP: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, first and slowest ${at(1)} ms`);
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(2)} s`;
}

/** Resident megabytes of the local workerd. */
function workerdMemory(): number {
  return Math.round(workerds().reduce((sum, pid) => sum + memory(pid), 0));
}
