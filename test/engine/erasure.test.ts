/** Erasure: a key is gone from every shard and file of its job, whatever dies on the way, and nothing else is. */
import { expect, test } from "vitest";
import type { Erasure, ErasurePorts } from "../../src/engine/erasure/erasure.ts";
import { newErasure, reportOf } from "../../src/engine/erasure/erasure.ts";
import { continueErasure } from "../../src/engine/erasure/erasure-run.ts";
import { MemoryQueue } from "../../src/engine/memory-queue.ts";
import { MemoryShards } from "../../src/engine/memory-shards.ts";
import { OperatorExecutor } from "../../src/engine/operator-executor.ts";
import { forgetKey, wipe } from "../../src/engine/shard/erase.ts";
import { readRange, readTotals } from "../../src/engine/shard/reader.ts";
import { Redrive } from "../../src/engine/shard/redrive.ts";
import type { Collector, Event, Plan, ProcessContext } from "../../src/index.ts";
import { count, Job, ProcessFunction, planJobs, VirtualClock } from "../../src/index.ts";
import { decodeFile } from "../../src/sinks/file-format.ts";
import type { FileStore } from "../../src/sinks/file-store.ts";
import { files } from "../../src/sinks/files.ts";
import { MemoryFiles } from "../../src/sinks/memory-files.ts";
import { listFiles } from "../../src/sinks/read-files.ts";
import { SearchedStore } from "./every-byte.ts";
import { NOW, pack, Records, read, sourceExecutor } from "./support.ts";

interface Order {
  readonly user: string;
  readonly product: string;
}

/** Remembers a user's last product, and passes orders on. */
class LastProduct extends ProcessFunction<Order, Order> {
  apply({ data }: Event<Order>, collector: Collector<Order>, context: ProcessContext): void {
    if (data.product === "bad") throw new Error("bad product");
    context.state.value<string>("product").set(data.product);
    context.timers.set("forget", context.now + 1e9);
    collector.emit(data);
  }
}

/** orders → last (2, process) → per-user (2) → changes (1); orders → order-log (keyed files), raw-log (files). */
function shop(): Plan {
  const job = new Job("shop");
  const orders = job.addSource(new Records<Order>("orders"));
  const byUser = orders.keyBy(({ user }) => user);
  byUser
    .applyOperator(new LastProduct("last", { shards: 2 }))
    .keyBy(({ user }) => user)
    .aggregate("per-user", count(), { shards: 2 })
    .keyBy(({ key }) => key)
    .aggregate("changes", count(), { shards: 1 });
  byUser.addSink(files<Order>("order-log", { maxEvents: 7, shards: 2 }));
  orders.addSink(files<Order>("raw-log"));
  const other = new Job("elsewhere");
  other
    .addSource(new Records<Order>("others"))
    .keyBy(({ user }) => user)
    .aggregate("other", count(), { shards: 1 });
  return planJobs([job, other]);
}

class Crash extends Error {}

/** A deployment of the shop in memory, in which the n-th thing that crosses a border kills who does it. */
class World {
  readonly plan = shop();
  readonly clock = new VirtualClock(NOW);
  readonly bucket = new MemoryFiles();
  readonly stores: SearchedStore[] = [];
  readonly shards = new MemoryShards(this.plan, {
    clock: this.clock,
    limits: { checkpointCommits: 4, checkpointStepPages: 1 },
    env: { FILES: this.bucket },
    makeStore: () => {
      const store = new SearchedStore();
      this.stores.push(store);
      return store;
    },
  });
  crossings = 0;
  crashAt = Number.POSITIVE_INFINITY;
  /** As it was last saved. */
  saved = "";
  #sequence = 0;

  async send(orders: readonly Order[], source = "orders"): Promise<void> {
    const executor = sourceExecutor(this.plan, source);
    const queue = new MemoryQueue(1e6, this.clock);
    await queue.send(
      pack(executor, read(executor, orders), { sequence: this.#sequence++, single: true }).messages,
    );
    const operators = new OperatorExecutor({
      plan: this.plan,
      clock: this.clock,
      shards: this.shards,
      claims: { claim: async (_producer, _fingerprint, sequences) => sequences.map(() => true) },
      graveyard: { bury: async () => expect.unreachable() },
    });
    await queue.deliver(100, (deliveries) => operators.consume(source, deliveries));
    await this.shards.idle();
  }

  begin(view: string, key: string): void {
    this.saved = JSON.stringify(newErasure("e1", view, key, this.clock.now()));
  }

  /** Runs until it is finished, woken up anew after each crash. */
  async finish(): Promise<Erasure> {
    for (let runs = 0; runs < 100; runs++) {
      const erasure = JSON.parse(this.saved) as Erasure;
      if (erasure.work === undefined) return erasure;
      this.clock.advance(Math.max(0, erasure.work.next - this.clock.now()));
      this.shards.wake();
      await this.shards.idle();
      try {
        await continueErasure(this.plan, erasure, this.#ports(), () => this.clock.now());
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        await this.shards.idle();
        this.shards.restart();
      }
    }
    throw new Error(`not finished: ${this.saved}`);
  }

  view(name: string): Record<string, unknown> {
    const entries = this.shards.shardsOf(name).flatMap((shard) => readRange(shard, { limit: 1e6 }));
    return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
  }

  total(name: string): { keys: number; total: number } {
    const totals = this.shards.shardsOf(name).map(readTotals);
    return {
      keys: totals.reduce((sum, { keys }) => sum + keys, 0),
      total: totals.reduce((sum, { total }) => sum + total, 0),
    };
  }

  /** What became of the orders at an operator. */
  flow(name: string): { applied: number; dead: number } {
    const flows = this.shards.shardsOf(name).flatMap(({ counters }) => Object.values(counters.flows));
    return {
      applied: flows.reduce((sum, { applied }) => sum + applied, 0),
      dead: flows.reduce((sum, { dead }) => sum + dead, 0),
    };
  }

  async lines(sink: string): Promise<Order[]> {
    const found: Order[] = [];
    for await (const { key } of listFiles(this.bucket, `${sink}/`)) {
      const file = await this.bucket.get(key);
      if (file !== null)
        found.push(...(await decodeFile<Order>(await file.arrayBuffer())).map(({ data }) => data));
    }
    return found;
  }

  /** Rows of all shards, and lines of a sink's files, that hold the text. */
  async traces(text: string, sink: string): Promise<string[]> {
    const rows = this.stores.flatMap((store, n) => store.rowsWith(text).map((row) => `store ${n}: ${row}`));
    const lines = (await this.lines(sink)).map((order) => JSON.stringify(order));
    return [...rows, ...lines.filter((line) => line.includes(text))];
  }

  #ports(): ErasurePorts {
    const run = <T>(operator: string, shard: number, work: () => T) =>
      this.#border(async () => this.shards.host(operator, shard).guard(work));
    const at = (operator: string, shard: number) => this.shards.shard(operator, shard);
    return {
      forget: (operator, n, key, released) =>
        run(operator, n, () => forgetKey(at(operator, n), key, released)),
      wipe: (operator, n, marks) => run(operator, n, () => wipe(at(operator, n), marks)),
      redrive: (operator, n, numbers) =>
        this.#border(async () => new Redrive(this.plan, at(operator, n), numbers).finish()),
      env: { FILES: this.#store() },
      save: (erasure) =>
        this.#border(async () => {
          this.saved = JSON.stringify(erasure);
        }, "dies"),
    };
  }

  #store(): FileStore {
    const { bucket } = this;
    return {
      put: (...args) => this.#border(() => bucket.put(...args)),
      get: (key) => this.#border(() => bucket.get(key)),
      head: (key) => bucket.head(key),
      list: (options) => this.#border(() => bucket.list(options)),
      delete: (key) => bucket.delete(key),
    };
  }

  /** Work that may not arrive, or whose answer may not: what asks for it sees an error, or dies if it is its own storage. */
  async #border<T>(work: () => Promise<T>, then: "fails" | "dies" = "fails"): Promise<T> {
    const error = then === "dies" ? new Crash("at a save") : new Error("connection lost");
    if (this.crossings++ === this.crashAt) throw error;
    const result = await work();
    if (this.crossings++ === this.crashAt) throw error;
    return result;
  }
}

const ALICE = "alice@example.org";

async function filled(): Promise<World> {
  const world = new World();
  for (let n = 0; n < 12; n++) {
    const user = n % 3 === 0 ? ALICE : `user-${n % 5}@example.org`;
    await world.send([
      { user, product: `p${n}` },
      { user: ALICE, product: n === 5 ? "bad" : "tea" },
      { user: "bob@example.org", product: n === 6 ? "bad" : "tea" },
    ]);
  }
  await world.send([{ user: ALICE, product: "tea" }], "others");
  return world;
}

test("a key is forgotten by its view, in all logs of its job, and in keyed files; nothing else is", async () => {
  const world = await filled();
  const before = { view: world.view("per-user"), total: world.total("per-user"), flow: world.flow("last") };
  expect((await world.traces(ALICE, "order-log")).length).toBeGreaterThan(20);
  expect(before.flow).toEqual({ applied: 34, dead: 2 });
  world.begin("last", ALICE);
  const erasure = await world.finish();
  expect(reportOf(erasure)).toEqual({
    id: "e1",
    view: "last",
    status: "done",
    requested: NOW,
    finished: expect.any(Number),
    state: { keys: 1, timers: 1 },
    deadLetters: 1,
    log: { shards: 8, rows: expect.any(Number) },
    sinks: [
      {
        sink: "order-log",
        keyed: true,
        objects: expect.any(Number),
        rewritten: expect.any(Number),
        events: 16,
      },
      { sink: "raw-log", keyed: false, objects: 0, rewritten: 0, events: 0 },
    ],
  });
  expect(world.saved).not.toContain(ALICE);
  expect(Object.keys(world.view("last")).toSorted()).toEqual(
    ["bob@example.org", ...[0, 1, 2, 3, 4].map((n) => `user-${n}@example.org`)]
      .filter((user) => user in before.view)
      .toSorted(),
  );
  expect(world.flow("last")).toEqual({ applied: 35, dead: 1 });
  expect((await world.lines("order-log")).filter(({ user }) => user === ALICE)).toEqual([]);
  expect((await world.lines("order-log")).filter(({ user }) => user === "bob@example.org")).toHaveLength(12);
  // Another view has the key until it is asked as well; another job's is another key.
  expect(world.view("per-user")).toEqual(before.view);
  expect(world.view("other")).toEqual({ [ALICE]: 1 });
  world.begin("per-user", ALICE);
  await world.finish();
  const { [ALICE]: visits, ...rest } = before.view;
  expect(world.view("per-user")).toEqual(rest);
  expect(world.total("per-user")).toEqual({
    keys: before.total.keys - 1,
    total: before.total.total - (visits as number),
  });
  world.shards.restart();
  expect(world.view("per-user")).toEqual(rest);
});

test("after its last view has forgotten it, no row of the job's shards and no line of its files has the key", async () => {
  const world = await filled();
  for (const view of ["last", "per-user", "changes"]) {
    world.begin(view, ALICE);
    expect((await world.finish()).status).toBe("done");
  }
  const others = world.shards.shard("other", 0).options.store;
  world.stores.splice(world.stores.indexOf(others as SearchedStore), 1);
  expect(world.stores.length).toBeGreaterThanOrEqual(7);
  expect(await world.traces(ALICE, "order-log")).toEqual([]);
  // New orders count from nothing.
  await world.send([{ user: ALICE, product: "tea" }]);
  expect(world.view("per-user")).toMatchObject({ [ALICE]: 1 });
});

test("it comes to the same whatever fails or dies, before or after it is done", async () => {
  let crashes = 0;
  for (let crashAt = 0; ; crashAt++) {
    const world = await filled();
    const before = world.view("last");
    world.begin("last", ALICE);
    world.crashAt = crashAt;
    const erasure = await world.finish();
    if (world.crossings <= crashAt) break;
    crashes++;
    expect(erasure.status).toBe("done");
    expect(erasure.error).toBeUndefined();
    const { [ALICE]: _, ...rest } = before;
    expect(world.view("last")).toEqual(rest);
    expect(world.total("last").keys).toBe(Object.keys(rest).length);
    expect(world.flow("last")).toEqual({ applied: 35, dead: 1 });
    expect((await world.lines("order-log")).map(({ user }) => user)).not.toContain(ALICE);
    expect(await world.lines("raw-log")).toHaveLength(36);
    for (const shard of world.shards.shardsOf("last")) {
      expect((shard.options.store as SearchedStore).rowsWith(ALICE)).toEqual([]);
    }
    expect(world.saved).not.toContain(ALICE);
  }
  expect(crashes).toBeGreaterThan(60);
}, 60_000);

test("the view forgets at once, and again when all upstream of it has been handed over", async () => {
  const world = new World();
  world.begin("per-user", ALICE);
  const asked: string[] = [];
  const ports: ErasurePorts = {
    forget: async (operator, shard) => {
      asked.push(`forget ${operator}/${shard}`);
      return { keys: 0, timers: 0, deadLetters: 0, redriving: [] };
    },
    wipe: async (operator, shard) => {
      asked.push(`wipe ${operator}/${shard}`);
      return { rows: 0 };
    },
    redrive: async () => expect.unreachable(),
    env: { FILES: world.bucket },
    save: () => undefined,
  };
  await continueErasure(world.plan, JSON.parse(world.saved) as Erasure, ports, () => NOW);
  expect(asked).toEqual([
    ...["forget per-user/0", "forget per-user/1", "forget order-log/0", "forget order-log/1"],
    ...["wipe last/0", "wipe last/1"],
    ...["forget per-user/0", "wipe per-user/0", "forget per-user/1", "wipe per-user/1"],
    ...["wipe changes/0", "wipe order-log/0", "wipe order-log/1", "wipe raw-log/0"],
  ]);
});

test("it waits for what is on its way, says for what, and then goes on", async () => {
  const world = await filled();
  world.begin("last", ALICE);
  const waited: string[] = [];
  const ports: ErasurePorts = {
    forget: async () => ({ keys: 0, timers: 0, deadLetters: 0, redriving: [] }),
    wipe: async (operator, shard, marks) => {
      if (operator !== "last" || shard !== 1 || waited.length === 3) return { rows: 1 };
      waited.push(JSON.stringify(marks ?? null));
      return {
        rows: 0,
        marks: { channels: { "per-user/0": 7 } },
        waitingFor: "outputs on their way to per-user/0",
      };
    },
    redrive: async () => expect.unreachable(),
    env: { FILES: world.bucket },
    save: () => undefined,
  };
  let erasure = JSON.parse(world.saved) as Erasure;
  const next: (number | undefined)[] = [];
  for (let run = 0; run < 3; run++) {
    erasure = await continueErasure(world.plan, erasure, ports, () => NOW);
    expect(erasure.waitingFor).toBe("last/1: outputs on their way to per-user/0");
    next.push(erasure.work?.next);
  }
  const marks = JSON.stringify({ channels: { "per-user/0": 7 } });
  expect(waited).toEqual(["null", marks, marks]);
  // The first run came further; from then on it waits longer and longer.
  expect(next).toEqual([NOW + 1_000, NOW + 2_000, NOW + 4_000]);
  erasure = await continueErasure(world.plan, erasure, ports, () => NOW);
  expect(erasure).toMatchObject({ status: "done", log: { shards: 8, rows: 8 } });
  expect(erasure.waitingFor).toBeUndefined();
});

test("dead letters that somebody has begun to send again are sent first, or go when nobody takes them", async () => {
  const world = new World();
  world.begin("last", ALICE);
  const asked: string[] = [];
  const ports: ErasurePorts = {
    forget: async (operator, shard, _key, released) => {
      const redriving = operator === "last" && shard === 0 && !released ? [3, 4] : [];
      return { keys: 0, timers: 0, deadLetters: redriving.length === 0 ? 1 : 0, redriving };
    },
    wipe: async () => ({ rows: 0 }),
    redrive: async (operator, shard, numbers) => {
      asked.push(`${operator}/${shard} ${numbers.join()}`);
      if (asked.length < 7) throw new Error("nobody takes them");
      return 2;
    },
    env: { FILES: world.bucket },
    save: () => undefined,
  };
  let erasure = JSON.parse(world.saved) as Erasure;
  for (let run = 0; run < 5; run++) {
    erasure = await continueErasure(world.plan, erasure, ports, () => NOW);
    expect(erasure).toMatchObject({ status: "running", error: "nobody takes them", deadLetters: 0 });
  }
  erasure = await continueErasure(world.plan, erasure, ports, () => NOW);
  // Each of the two steps has them sent: the sixth attempt is the last that fails.
  expect(asked).toEqual(Array.from({ length: 7 }, () => "last/0 3,4"));
  expect(erasure).toMatchObject({ status: "done", deadLetters: 6 });
  expect(erasure.error).toBeUndefined();
});

test("it fails, and lets go of the key, when there is no such view any more", async () => {
  const world = new World();
  world.begin("gone", ALICE);
  const erasure = await world.finish();
  expect(erasure).toMatchObject({ status: "failed", finished: NOW });
  expect(erasure.error).toContain('no view "gone"');
  expect(world.saved).not.toContain(ALICE);
});

test("a key that nobody has seen, in a job that was never used, writes nothing", async () => {
  const world = new World();
  world.begin("last", ALICE);
  expect(await world.finish()).toMatchObject({
    status: "done",
    state: { keys: 0, timers: 0 },
    deadLetters: 0,
    log: { shards: 8, rows: 0 },
  });
  expect(world.stores.every(({ rowsWritten }) => rowsWritten === 0)).toBe(true);
});
