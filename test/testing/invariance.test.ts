/** What may not change what a TestDriver shows: another run, the number of shards, a restart, faults. */
import { expect, test, vi } from "vitest";
import type { TestDriverOptions } from "../../src/testing/index.ts";
import { TestDriver } from "../../src/testing/index.ts";
import { Random } from "../simulation/random.ts";
import { everythingJob } from "./jobs.ts";

vi.setConfig({ testTimeout: 120_000 });

type Step = (driver: TestDriver) => Promise<unknown>;

const VIEWS = ["page-views", "sections", "titles", "visits"];

/** Records and spans at random, the same for every driver. */
function stepsOf(seed: number, length: number): Step[] {
  const random = new Random(seed);
  const record = () => {
    const url = random.pick(["/a", "/b", "/c", "/admin", "/bad", "/lost", "/products/1", "/products/2"]);
    return random.chance(0.8) ? { url, user: `u${random.int(0, 12)}` } : url;
  };
  return Array.from({ length }, (): Step => {
    const records = Array.from({ length: random.int(1, 6) }, record);
    const ms = random.pick([0, 1, 999, 60_000, 1_700_000, 7_200_000]);
    if (random.chance(0.5)) return (driver) => driver.send("clicks", ...records);
    if (random.chance(0.4)) return (driver) => driver.sendBatch("clicks", records);
    if (random.chance(0.1)) return (driver) => driver.redrive();
    return (driver) => driver.advance(ms);
  });
}

interface Shown {
  readonly rows: Record<string, unknown[]>;
  readonly ids: Record<string, string[]>;
  readonly views: unknown;
  readonly letters: unknown;
  readonly batches: unknown;
  readonly sunk: readonly string[];
}

/** Runs the steps and shows all that a test can see, ids apart. */
async function show(steps: readonly Step[], options: TestDriverOptions = {}, between?: Step): Promise<Shown> {
  const { job, streams } = everythingJob();
  const driver = new TestDriver(job, options);
  const outputs = Object.entries(streams).map(
    ([name, stream]) => [name, driver.output<unknown>(stream)] as const,
  );
  for (const step of steps) {
    await step(driver);
    await between?.(driver);
  }
  await driver.advance("3 hours");
  expect(new Set(Object.values(driver.backlog().queues))).toEqual(new Set([0]));
  expect(driver.failures).toEqual([]);
  const events = outputs.map(([name, output]) => [name, output.readEvents()] as const);
  const views = VIEWS.map((name) => {
    const view = driver.view(name);
    return [view.entries(), view.top(3), view.totals()];
  });
  const letters = driver.deadLetters();
  return {
    rows: Object.fromEntries(events.map(([name, list]) => [name, list.map(({ id: _, ...row }) => row)])),
    ids: Object.fromEntries(events.map(([name, list]) => [name, list.map(({ id }) => id)])),
    views,
    letters,
    batches: driver.sink("lines").batches,
    sunk: driver
      .sink("lines")
      .batches.flatMap((batch) => batch.events.map(({ id, data }) => `${id} ${data}`))
      .sort(),
  };
}

/** What goes back to an aggregate's changes depends on how many commits made them: the last state of a key does not. */
function withoutChanges({ rows, letters, views, sunk }: Shown) {
  const { counts = [], pages = [], ...others } = rows;
  const latest = (list: unknown[]) =>
    Object.fromEntries(
      (list as { data: { key: string; value: number } }[]).map(({ data }) => [data.key, data.value]),
    );
  return { rows: others, counts: latest(counts), pages: latest(pages), letters, views, sunk };
}

const seeds = [1, 2, 3];

test.each(seeds)("the same calls show the same, ids and all (seed %i)", async (seed) => {
  const steps = stepsOf(seed, 18);
  const first = await show(steps);
  expect(first.rows.visits?.length).toBeGreaterThan(10);
  expect(first.rows.sales?.length).toBeGreaterThan(20);
  expect(first.letters).not.toEqual([]);
  expect(await show(steps)).toEqual(first);
});

test.each(seeds)("1, 4 and 16 shards show the same (seed %i)", async (seed) => {
  const steps = stepsOf(seed, 18);
  const [one, four, sixteen] = await Promise.all([1, 4, 16].map((shards) => show(steps, { shards })));
  expect(withoutChanges(four as Shown)).toEqual(withoutChanges(one as Shown));
  expect(withoutChanges(sixteen as Shown)).toEqual(withoutChanges(one as Shown));
  expect((four as Shown).ids.counts).not.toEqual((one as Shown).ids.counts);
});

test.each(seeds)("record by record, also the changes of aggregates are the same (seed %i)", async (seed) => {
  const records = Array.from({ length: 30 }, (_, n) => ({ url: `/${(n * seed) % 7}`, user: `u${n % 3}` }));
  const steps: Step[] = [(driver) => driver.send("clicks", ...records)];
  const [one, four, sixteen] = await Promise.all([1, 4, 16].map((shards) => show(steps, { shards })));
  expect(one?.rows.counts).toHaveLength(30);
  expect(one?.rows.pages).toHaveLength(60);
  expect(four?.rows).toEqual(one?.rows);
  expect(sixteen?.rows).toEqual(one?.rows);
});

test.each(seeds)("a restart between any two steps changes nothing (seed %i)", async (seed) => {
  const steps = stepsOf(seed, 18);
  const calm = await show(steps);
  expect(await show(steps, {}, (driver) => driver.restart())).toEqual(calm);
  expect(await show(steps, { faults: { restarts: true } })).toEqual(calm);
});

test.each(seeds)("duplicates change nothing (seed %i)", async (seed) => {
  const steps = stepsOf(seed, 18);
  const calm = withoutChanges(await show(steps));
  expect(withoutChanges(await show(steps, { faults: { duplicates: true } }))).toEqual(calm);
});

test("duplicates do come, and are known", async () => {
  const { job } = everythingJob();
  const driver = new TestDriver(job, { faults: { duplicates: true } });
  await driver.send("clicks", "/a", "/a", "/b");
  const { applied = 0, duplicates = 0 } = driver.stats("page-views").flows.clicks ?? {};
  expect(applied).toBe(3);
  expect(duplicates).toBeGreaterThanOrEqual(3);
  expect(driver.view("page-views").get("/a")).toBe(2);
});

test.each(seeds)("a shuffle changes no sum, and replays (seed %i)", async (seed) => {
  const steps = stepsOf(seed, 18);
  const faults = { shuffle: seed, duplicates: true, restarts: true };
  const calm = await show(steps);
  const shuffled = await show(steps, { faults });
  const sums = ({ views }: Shown) => (views as unknown[]).slice(0, 3);
  expect(sums(shuffled)).toEqual(sums(calm));
  expect(shuffled.rows.titled?.length).toBe(calm.rows.titled?.length);
  expect(await show(steps, { faults })).toEqual(shuffled);
});

test("a shuffle does disorder: what depends on order shows it", async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 10; seed++) {
    const { job, streams } = everythingJob();
    const driver = new TestDriver(job, { faults: { shuffle: seed } });
    const visits = driver.output(streams.visits);
    await driver.send("clicks", ...["a", "b", "c", "d"].map((page) => ({ url: `/${page}`, user: "ann" })));
    orders.add(JSON.stringify(visits.readEvents().map(({ id }) => id)));
  }
  expect(orders.size).toBeGreaterThan(2);
});
