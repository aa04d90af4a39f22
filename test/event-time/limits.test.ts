/** What a window keeps, for how long, and what becomes of an event that cannot be kept, or cannot be shown. */
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/index.ts";
import { Aggregate, count, hopping, session, tumbling, WindowAssigner } from "../../src/index.ts";
import type { Element, Shape } from "../operators/steps.ts";
import { begin, play, WAYS } from "../operators/steps.ts";

describe.each(WAYS)("%s", (_, options) => {
  test("the view keeps a window for its retention after it was closed", async () => {
    for (const assigner of [tumbling(1_000), session(1_000)]) {
      const { driver } = begin(
        (left) => ({
          out: left.window(assigner, { lateness: 500, retention: "1 minute" }).aggregate("counts", count()),
        }),
        options,
      );
      await driver.send("left", { key: "k", name: "e", time: 0 });
      await driver.watermark(999);
      await driver.advance("2 minutes");
      // Fired, and not closed.
      expect(driver.view("counts").windows()).toMatchObject([{ value: 1, final: false }]);
      await driver.watermark(1_499);
      expect(driver.view("counts").windows()).toMatchObject([{ value: 1, final: true }]);
      await driver.advance(59_999);
      expect(driver.view("counts").windows().length).toBe(1);
      await driver.advance(1);
      expect(driver.view("counts").windows()).toEqual([]);
    }
  });

  test("what comes for a key and window beyond maxKeys is a dead letter, and can be sent again when there is room", async () => {
    const shape: Shape<unknown> = (left) => ({
      out: left.window(hopping(20, 10), { retention: 1 }).aggregate("counts", count(), { maxKeys: 2 }),
    });
    const { driver, steps } = await play(
      shape,
      "L:e@10#a L:e@11#a L:e@11#b L:e@31#a W29",
      { ...options, shards: 1 },
      (data) => JSON.stringify(data).replace(/^.*"value":(\d+).*$/, "$1"),
    );
    expect(steps).toEqual([["W29", "2", "2"]]);
    expect(driver.deadLetters().map(({ error }) => error)).toEqual(
      // One for each window: events of one request are combined per window before they come.
      Array(4).fill("this shard has its 2 keys and windows; raise maxKeys, or keep them for a shorter time"),
    );
    expect(driver.stats("counts").flows.left).toMatchObject({ applied: 2, late: 0, dead: 2 });
    await driver.advance(1);
    await driver.redrive();
    expect(driver.view("counts").windows()).toMatchObject([
      { key: "a", window: { start: 20, end: 40 }, value: 1 },
      { key: "a", window: { start: 30, end: 50 }, value: 1 },
    ]);
    // Event time has passed the other one meanwhile.
    expect(driver.stats("counts").flows.left).toMatchObject({ applied: 3, late: 1, dead: 0 });
  });

  /** Cannot show a window that has seen `bad`. */
  class Picky extends Aggregate<Element, string[]> {
    create(): string[] {
      return [];
    }
    add(names: string[], { data }: Event<Element>) {
      return [...names, data.name];
    }
    merge(left: string[], right: string[]) {
      return [...left, ...right].toSorted();
    }
    override result(names: string[]) {
      if (names.includes("bad")) throw new Error("bad is not to be shown");
      return names;
    }
  }

  test.each([
    ["accumulating", tumbling(10)],
    ["discarding", tumbling(10)],
    ["accumulating", session(10)],
  ] as const)(
    "an event whose window could not be shown is a dead letter: its window fires without it (%s)",
    async (panes, assigner) => {
      const shape: Shape<{ value: string[] }> = (left) => {
        const out = left
          .window(assigner as WindowAssigner<Element>, { panes, lateness: 100 })
          .applyOperator(new Picky("names"));
        return { out, late: out.late };
      };
      const { driver, steps } = await play(
        shape,
        "L:a@1 L:bad@2 L:b@2 W11 L:bad@3 L:c@3 Wend",
        options,
        ({ value }) => value.join(),
      );
      expect(steps).toEqual([
        ["W11", "a,b"],
        [expect.stringMatching(/c@3|Wend/), panes === "discarding" ? "c" : "a,b,c"],
      ]);
      expect(driver.deadLetters().map(({ error }) => error)).toEqual(Array(2).fill("bad is not to be shown"));
    },
  );

  test("a merging assigner of one's own looks at events: sessions with a gap of their own", async () => {
    class Gaps extends WindowAssigner<Element> {
      readonly signature = "gaps@1";
      override readonly merging = true;
      assign(time: number, { data }: Event<Element>) {
        return [{ start: time, end: time + Number(data.name) }];
      }
    }
    const { steps } = await play(
      (left) => ({ out: left.window(new Gaps()).aggregate("counts", count()) }),
      "L:10@0 L:3@5 L:2@10 L:4@13 W11 Wend",
      options,
      ({ value, window: { start, end } }) => `${value} [${start},${end})`,
    );
    expect(steps).toEqual([
      ["W11", "3 [0,12)"],
      ["Wend", "1 [13,17)"],
    ]);
  });
});
