/**
 * Published cases of other engines for windows, as steps: Flink's `WindowOperatorTest`, Beam's early firings. Each at 1, 4 and
 * 16 shards, woken anew from storage after every step, and with every message and call made twice.
 */
import { describe, expect, test } from "vitest";
import type { WindowOptions, WindowResult } from "../../src/index.ts";
import {
  afterCount,
  count,
  eachEvent,
  every,
  globalWindow,
  hopping,
  session,
  sum,
  tumbling,
  WindowAssigner,
} from "../../src/index.ts";
import type { Element, Shape } from "../operators/steps.ts";
import { begin, play, WAYS } from "../operators/steps.ts";

type Result = WindowResult<number>;

const counted =
  (assigner: WindowAssigner<Element>, options?: WindowOptions): Shape<Result> =>
  (left) => {
    const out = left.window(assigner, options).aggregate("counts", count());
    return { out, late: out.late };
  };
const summed =
  (assigner: WindowAssigner<Element>, options?: WindowOptions): Shape<Result> =>
  (left) => {
    const out = left.window(assigner, options).aggregate(
      "sums",
      sum<Element>(({ name }) => Number(name)),
    );
    return { out, late: out.late };
  };
const show = ({ key, value, window }: Result, time: number) =>
  `${key}=${value} [${window.start},${window.end})@${time}`;
const timing = ({ value, pane }: Result) => `${value} ${pane.timing} ${pane.index}`;

describe.each(WAYS)("%s", (_, options) => {
  const elements =
    "L:e@3999#key2 L:e@3000#key2 L:e@20#key1 L:e@0#key1 L:e@999#key1 L:e@1998#key2 L:e@1999#key2 L:e@1000#key2";
  const seconds = "W999 W1999 W2999 W3999 W4999 W5999 W6999 W7999";

  test("tumbling 3 s", async () => {
    const { steps } = await play(counted(tumbling(3_000)), `${elements} ${seconds}`, options, show);
    expect(steps).toEqual([
      ["W2999", "key1=3 [0,3000)@2999", "key2=3 [0,3000)@2999"],
      ["W5999", "key2=2 [3000,6000)@5999"],
    ]);
  });

  test("sliding 3 s by 1 s", async () => {
    const { steps } = await play(counted(hopping(3_000, 1_000)), `${elements} ${seconds}`, options, show);
    expect(steps).toEqual([
      ["W999", "key1=3 [-2000,1000)@999"],
      ["W1999", "key1=3 [-1000,2000)@1999", "key2=3 [-1000,2000)@1999"],
      ["W2999", "key1=3 [0,3000)@2999", "key2=3 [0,3000)@2999"],
      ["W3999", "key2=5 [1000,4000)@3999"],
      ["W4999", "key2=2 [2000,5000)@4999"],
      ["W5999", "key2=2 [3000,6000)@5999"],
    ]);
  });

  test("tumbling 2 s, 500 ms late, purging", async () => {
    const shape = counted(tumbling(2_000), { lateness: 500, panes: "discarding" });
    const { steps, driver } = await play(
      shape,
      "L:e@500 W1500 L:e@1300 W2300 L:e@1997 W6000 L:x@1998 W7000",
      options,
      timing,
    );
    expect(steps).toEqual([
      ["W2300", "2 on-time 0"],
      ["L:e@1997", "1 late 1"],
      ["L:x@1998", "late x@1998"],
    ]);
    // What is emitted is by pane; the view shows the whole window.
    expect(driver.view("counts").windows()).toEqual([
      { key: "k", window: { start: 0, end: 2_000 }, value: 3, final: true },
    ]);
    expect(driver.stats("counts").flows.left).toMatchObject({ applied: 3, late: 1, dead: 0 });
  });

  test("tumbling 2 s, nothing late: late elements to the side output", async () => {
    const { steps } = await play(
      counted(tumbling(2_000)),
      "L:e@500 W1500 L:e@1300 W2300 L:x@1997 W6000 L:y@1998 W7000",
      options,
      show,
    );
    expect(steps).toEqual([
      ["W2300", "k=2 [0,2000)@1999"],
      ["L:x@1997", "late x@1997"],
      ["L:y@1998", "late y@1998"],
    ]);
  });

  test("sessions with a gap of 3 s: one that joins two, one that is late", async () => {
    const { steps, driver } = await play(
      counted(session(3_000)),
      "L:e@1000 W1999 L:e@2000 W4998 L:e@4500 L:e@8500 W7400 L:e@7000 W11501 L:e@11600 W14600 L:x@10000 L:e@14500 W20000",
      options,
      show,
    );
    expect(steps).toEqual([
      ["W11501", "k=5 [1000,11500)@11499"],
      ["W14600", "k=1 [11600,14600)@14599"],
      ["L:x@10000", "late x@10000"],
      ["W20000", "k=1 [14500,17500)@17499"],
    ]);
    expect(driver.view("counts").windows().length).toBe(3);
  });

  test("sessions of two keys, with sums", async () => {
    const { steps } = await play(
      summed(session(3_000)),
      `L:1@0#key2 L:2@1000#key2 L:3@2500#key2 L:1@10#key1 L:2@1000#key1 L:3@2500#key1 L:4@5501#key2 L:5@6000#key2
       L:5@6000#key2 L:6@6050#key2 W12000 L:10@15000#key2 L:20@15000#key2 W17999`,
      options,
      show,
    );
    expect(steps).toEqual([
      ["W12000", "key1=6 [10,5500)@5499", "key2=6 [0,5500)@5499", "key2=20 [5501,9050)@9049"],
      ["W17999", "key2=30 [15000,18000)@17999"],
    ]);
  });

  test("sessions that touch are one; the gap's end is exclusive", async () => {
    const { steps } = await play(
      counted(session(1_000)),
      "L:e@0#touch L:e@1000#touch L:e@0#apart L:e@1001#apart Wend",
      options,
      show,
    );
    expect(steps).toEqual([
      ["Wend", ...["apart=1 [0,1000)@999", "apart=1 [1001,2001)@2000"], "touch=2 [0,2000)@1999"],
    ]);
  });

  test("a session that has fired and is within its lateness grows, and fires again", async () => {
    const { steps } = await play(
      counted(session(1_000), { lateness: 5_000 }),
      "L:e@0 W1500 L:e@500 L:e@1400 W2399 L:e@100 Wend",
      options,
      (data, time) => `${timing(data)} ${show(data, time)}`,
    );
    expect(steps).toEqual([
      ["W1500", "1 on-time 0 k=1 [0,1000)@999"],
      ["L:e@500", "2 late 1 k=2 [0,1500)@1499"],
      ["W2399", "3 on-time 2 k=3 [0,2400)@2399"],
      ["L:e@100", "4 late 3 k=4 [0,2400)@2399"],
    ]);
  });

  test("a count trigger fires with every third element, before the end and at it", async () => {
    const { steps } = await play(
      counted(tumbling(10_000), { early: afterCount(3) }),
      "L:e@1 L:e@2 L:e@3 L:e@4 L:e@5 L:e@6 L:e@7 W9999",
      options,
      timing,
    );
    expect(steps).toEqual([
      ["L:e@3", "3 early 0"],
      ["L:e@6", "6 early 1"],
      ["W9999", "7 on-time 2"],
    ]);
  });

  test("a global window that fires with every second element, discarding", async () => {
    const { steps } = await play(
      counted(globalWindow(), { early: afterCount(2), panes: "discarding" }),
      "L:e@9 L:e@1 W100 L:e@5 L:e@200 L:e@7 Wend",
      options,
      timing,
    );
    expect(steps).toEqual([
      ["L:e@1", "2 early 0"],
      ["L:e@200", "2 early 1"],
      ["Wend", "1 on-time 2"],
    ]);
  });

  test("each event shows what changed, before the end and after it", async () => {
    const { steps } = await play(
      counted(tumbling(10), { early: eachEvent(), late: afterCount(2), lateness: 100 }),
      "L:e@1 L:e@2 W9 L:e@3 L:e@4 L:e@5",
      options,
      ({ value, previous, pane }) => `${previous ?? "-"} to ${value} ${pane.timing}`,
    );
    expect(steps).toEqual([
      ["L:e@1", "- to 1 early"],
      ["L:e@2", "1 to 2 early"],
      ["W9", "2 to 2 on-time"],
      ["L:e@4", "2 to 4 late"],
    ]);
  });

  test("offsets shift windows, also backwards", async () => {
    for (const [offset, start] of [
      [300, -700],
      [-300, -300],
      ["1 second", 0],
    ] as const) {
      const { steps } = await play(counted(tumbling(1_000, { offset })), "L:e@0 Wend", options, show);
      expect(steps).toEqual([["Wend", `k=1 [${start},${start + 1_000})@${start + 999}`]]);
    }
  });

  test("an assigner of one's own looks at the event; one without a window for it changes nothing", async () => {
    class ByName extends WindowAssigner<Element> {
      readonly signature = "by-name@1";
      assign(time: number, { data }: { readonly data: Element }) {
        return data.name === "none" ? [] : [{ start: time, end: time + Number(data.name) }];
      }
    }
    const { steps, driver } = await play(
      counted(new ByName()),
      "L:5@10 L:90@10 L:none@10 L:5@10 W14 W99",
      options,
      show,
    );
    expect(steps).toEqual([
      ["W14", "k=2 [10,15)@14"],
      ["W99", "k=1 [10,100)@99"],
    ]);
    expect(driver.stats("counts").flows.left).toMatchObject({ applied: 4, late: 0 });
  });

  test("a window that is none makes its event a dead letter, and harms no other", async () => {
    class Odd extends WindowAssigner<Element> {
      readonly signature = "odd@1";
      assign(time: number, { data }: { readonly data: Element }) {
        const ends: Record<string, number> = { nan: Number.NaN, back: time - 5, ever: 1e300, good: time + 5 };
        return [{ start: time, end: ends[data.name] ?? 0.5 }];
      }
    }
    const { steps, driver } = await play(
      counted(new Odd()),
      "L:nan@10 L:back@10 L:ever@10 L:half@10 L:good@10 Wend",
      options,
      show,
    );
    expect(steps).toEqual([["Wend", "k=1 [10,15)@14"]]);
    expect(driver.deadLetters()).toHaveLength(4);
    expect(driver.deadLetters()[0]?.error).toContain("is no window");
    expect(driver.stats("counts").flows.left).toMatchObject({ applied: 1, dead: 4 });
  });

  test("late for some of its windows is not late: it counts in the others", async () => {
    const { steps, driver } = await play(
      counted(hopping(20, 10)),
      "L:e@5 W9 L:e@6 L:x@4 W19 L:y@9",
      options,
      show,
    );
    expect(steps).toEqual([
      ["W9", "k=1 [-10,10)@9"],
      ["W19", "k=3 [0,20)@19"],
      ["L:y@9", "late y@9"],
    ]);
    expect(driver.stats("counts").flows.left).toMatchObject({ applied: 3, late: 1 });
  });
});

/** Beam: `AfterWatermark.pastEndOfWindow().withEarlyFirings(AfterProcessingTime.pastFirstElementInPane().plusDelayOf(10 min))`. */
describe.each(WAYS)("early firings ten minutes after a pane's first element, %s", (_, options) => {
  const MINUTE = 60_000;
  const run = async (panes: "accumulating" | "discarding") => {
    const shape = summed(tumbling("20 minutes"), {
      lateness: "1 hour",
      early: every("10 minutes"),
      panes,
    });
    const { driver, results } = begin(shape, options);
    const heard: string[][] = [];
    const send = (key: string, ...values: number[]) =>
      driver.send("left", ...values.map((value) => ({ key, name: String(value), time: MINUTE })));
    const step = async (work: Promise<void>) => {
      await work;
      const given = results.read().map(({ data }) => `${data.key} ${data.value}`);
      if (given.length > 0) heard.push(given);
    };
    await step(send("blue", 3, 2));
    await step(driver.advance("10 minutes"));
    await step(send("red", 5));
    await step(driver.advance("12 minutes"));
    await step(send("blue", 3));
    await step(driver.advance("10 minutes"));
    await step(send("red", 4));
    await step(send("blue", 2));
    await step(driver.watermark("end"));
    return heard;
  };

  test("accumulating", async () => {
    expect(await run("accumulating")).toEqual([["blue 5"], ["red 5"], ["blue 8"], ["blue 10", "red 9"]]);
  });

  test("discarding", async () => {
    expect(await run("discarding")).toEqual([["blue 5"], ["red 5"], ["blue 3"], ["blue 2", "red 4"]]);
  });
});
