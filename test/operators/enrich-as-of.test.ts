/** As of event time: random streams against a plain recount, late rows, and what is kept of a table. */
import { describe, expect, test } from "vitest";
import type { SourceCollector } from "../../src/index.ts";
import { Job, Source } from "../../src/index.ts";
import { TestDriver } from "../../src/testing/index.ts";
import type { RandomElement } from "./random-steps.ts";
import { lateOf, randomSteps, recount, SEEDS, sortedSteps } from "./random-steps.ts";
import type { Shape } from "./steps.ts";
import { play, WAYS } from "./steps.ts";

const shape: Shape<string> = (left, right) => {
  const out = left.enrichAsOf("joined", right, (event, row) => `${event.name}+${row?.name ?? "none"}`);
  return { out, late: out.late };
};
const show = (data: string, time: number) => `${data}@${time}`;

/** A table that forgets nothing. */
function asOf() {
  const rows: RandomElement[] = [];
  let waiting: RandomElement[] = [];
  let lateRows = 0;
  const rowAt = (key: string, time: number) =>
    rows.filter((row) => row.key === key && row.time <= time).sort((a, b) => b.time - a.time)[0];
  return {
    get lateRows() {
      return lateRows;
    },
    element(element: RandomElement, watermark: number) {
      const { side, key, time } = element;
      const late = time <= watermark;
      if (side === "L") {
        if (late) return [lateOf(element)];
        waiting.push(element);
        return [];
      }
      if (late && (rowAt(key, watermark)?.time ?? 0) > time) {
        lateRows++;
        return [lateOf(element)];
      }
      rows.push(element);
      return [];
    },
    watermark(watermark: number) {
      const due = waiting.filter(({ time }) => time <= watermark);
      waiting = waiting.filter(({ time }) => time > watermark);
      return due.map(({ name, key, time }) => `${name}+${rowAt(key, time)?.name ?? "none"}@${time}`);
    },
  };
}

describe.each(WAYS)("%s", (_, options) => {
  test("random streams equal a plain recount", async () => {
    let lateRows = 0;
    for (const seed of SEEDS) {
      const steps = randomSteps(seed, 100);
      const oracle = asOf();
      const expected = recount(steps, oracle);
      const text = steps.map((step) => step.text).join(" ");
      const heard = await play(shape, text, options, show);
      expect(sortedSteps(heard.steps), `seed ${seed}`).toEqual(expected);
      lateRows += oracle.lateRows;
    }
    expect(lateRows).toBeGreaterThan(0);
  });

  test("a late row that is newer than what there is counts for events to come", async () => {
    const { steps } = await play(shape, "R:old@5 W20 R:late@3 R:newer@10 R:gone@9 L:a@21 W30", options, show);
    expect(steps).toEqual([
      ["R:late@3", "late late@3"],
      ["R:gone@9", "late gone@9"],
      ["W30", "a+newer@21"],
    ]);
  });

  test("rows of a key that nobody asks for are dropped while newer ones go on coming", async () => {
    const rows = Array.from({ length: 60 }, (_, n) => `R:r${n}@${n + 4} W${n + 1}`).join(" ");
    const { driver } = await play(shape, rows, options, show);
    const { rows: kept } = driver.view("joined").get("k") as { readonly rows: readonly unknown[] };
    // Three are ahead of the watermark; as many again may wait to be dropped.
    expect(kept.length).toBeLessThanOrEqual(8);
    await driver.watermark("end");
    expect(driver.view("joined").get("k")).toEqual({
      rows: [[63, expect.any(String), { key: "k", name: "r59", time: 63 }]],
    });
  });
});

test("time goes before id: a newer row with a smaller id counts", async () => {
  interface Price {
    readonly price: number;
    readonly time: number;
  }
  class Prices extends Source<Price> {
    getEvents(input: unknown, collector: SourceCollector<Price>): void {
      const price = input as Price;
      collector.emit(price, { time: price.time });
    }
  }
  const job = new Job("prices");
  // Ids start with the name of the source.
  const [a, z, asked] = ["a", "z", "asked"].map((name) => job.addSource(new Prices(name)));
  if (a === undefined || z === undefined || asked === undefined) throw new Error("three sources");
  const out = asked
    .keyBy(() => "k")
    .enrichAsOf(
      "priced",
      z.union(a).keyBy(() => "k"),
      (_asked, row) => row?.price ?? 0,
    );
  const driver = new TestDriver(job, { watermarks: "explicit" });
  const [results, late] = [driver.output(out), driver.output(out.late)];
  await driver.send("z", { price: 1, time: 10 });
  await driver.watermark(20);
  await driver.send("a", { price: 2, time: 15 });
  await driver.send("asked", { price: 0, time: 30 });
  await driver.watermark(30);
  expect(late.read()).toEqual([]);
  expect(results.read()).toEqual([{ time: 30, data: 2 }]);
});
