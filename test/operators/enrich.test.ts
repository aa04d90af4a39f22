/** enrich: joins with the latest value by event time, whatever order the table comes in, over real shards in memory. */
import { expect, test } from "vitest";
import type { SinkBatch } from "../../src/index.ts";
import { Job, JobStarter, Sink } from "../../src/index.ts";
import type { PortedEvent } from "../../src/operators/enrich.ts";
import { EnrichFunction } from "../../src/operators/enrich.ts";
import { Records } from "../engine/support.ts";
import { Random } from "../simulation/random.ts";

interface Order {
  readonly customer: string;
  readonly item?: string;
}

class Collecting extends Sink<unknown> {
  readonly seen: unknown[] = [];
  async write(batch: SinkBatch<unknown>): Promise<void> {
    this.seen.push(...batch.events.map(({ data }) => data));
  }
}

/** The function over a state of one key that is a plain variable. */
function overOneKey() {
  const enrich = new EnrichFunction<string, string, string>("e", (data, table) => `${data}+${table}`);
  let row: unknown;
  const out: string[] = [];
  const latest = { get: () => row, set: (value: unknown) => (row = value), clear: () => (row = undefined) };
  const context = { state: { value: () => latest } } as never;
  return (event: PortedEvent<string>) => {
    enrich.apply(event, { emit: (data) => out.push(data), emitTo: () => expect.unreachable() }, context);
    return out.splice(0);
  };
}

const row = (time: number, id: string, data: string) => ({ id, time, data, port: 1 });

test("before a table's first value an event is joined with undefined, and does not wait", () => {
  const give = overOneKey();
  expect(give({ id: "e", time: 5, data: "a" })).toEqual(["a+undefined"]);
  expect(give(row(9, "r", "A"))).toEqual([]);
  // The latest is the latest, also for an event that is older than it.
  expect(give({ id: "e", time: 5, data: "a" })).toEqual(["a+A"]);
});

test.each(Array.from({ length: 20 }, (_, n) => n + 1))(
  "the table ends up the same in any order, ties by id (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const rows = Array.from({ length: 12 }, (_, n) =>
      row(random.int(-3, 5), `r${random.int(0, 40)}`, `${n}`),
    );
    const last = rows.toSorted((a, b) => b.time - a.time || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))[0];
    // Of two rows with one time and one id, the first that came stays: they are one event.
    const equal = rows
      .filter(({ time, id }) => time === last?.time && id === last?.id)
      .map(({ data }) => `x+${data}`);
    const give = overOneKey();
    for (const one of random.shuffle(rows)) give(one);
    expect(equal).toContain(give({ id: "e", time: 0, data: "x" })[0]);
  },
);

test("a job joins each event with its key's row, and with no other's", async () => {
  const sink = new Collecting("out");
  const job = new Job("job");
  const orders = job.addSource(new Records<Order>("orders"));
  const customers = job.addSource(new Records<{ id: string; name: string }>("customers"));
  orders
    .keyBy(({ customer }) => customer)
    .enrich(
      "named",
      customers.keyBy(({ id }) => id),
      ({ item }, customer) => `${item} for ${customer?.name}`,
    )
    .addSink(sink);
  const starter = new JobStarter(job);
  await starter.run({ customers: ["a", "b", "c"].map((id) => ({ id, name: id.toUpperCase() })) });
  await starter.run({ orders: ["c", "a", "d", "b", "a"].map((customer, n) => ({ customer, item: `${n}` })) });
  await starter.run({ customers: [{ id: "a", name: "Ada" }] });
  await starter.run({ orders: [{ customer: "a", item: "9" }] });
  expect(sink.seen.toSorted()).toEqual([
    "0 for C",
    "1 for A",
    "2 for undefined",
    "3 for B",
    "4 for A",
    "9 for Ada",
  ]);
  expect(starter.deadLetters()).toEqual([]);
});
