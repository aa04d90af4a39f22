/**
 * Late elements of sessions and of sliding windows: the cases `testDropDueToLateness…` of Flink's `WindowOperatorTest`, which
 * differ in their lateness and in what a firing leaves behind, and Beam's `AfterProcessingTimeStateMachineTest`.
 */
import { describe, expect, test } from "vitest";
import type { WindowOptions, WindowResult } from "../../src/index.ts";
import { count, every, hopping, session, tumbling } from "../../src/index.ts";
import type { Shape } from "../operators/steps.ts";
import { begin, play, WAYS } from "../operators/steps.ts";

type Result = WindowResult<number>;

const sessions =
  (gap: number, options?: WindowOptions): Shape<Result> =>
  (left) => {
    const out = left.window(session(gap), options).aggregate("counts", count());
    return { out, late: out.late };
  };
const show = ({ key, value, window, pane }: Result, time: number) =>
  `${key}=${value} [${window.start},${window.end})@${time} ${pane.timing}`;

/** The same steps in each of Flink's cases, up to the element that is late, or not. */
const STEPS = "L:e@1000 W1999 L:e@2000 W4998 L:e@4500 L:e@8500 W7400 L:e@7000 W11501 L:e@11600 W14600";
const FIRED = [
  ["W11501", "k=5 [1000,11500)@11499 on-time"],
  ["W14600", "k=1 [11600,14600)@14599 on-time"],
];

describe.each(WAYS)("%s", (_, options) => {
  test.each(["accumulating", "discarding"] as const)("sessions, nothing late, %s", async (panes) => {
    const steps = `${STEPS} L:x@10000 L:y@10100 L:e@14500 W20000 W100000`;
    const heard = await play(sessions(3_000, { panes }), steps, options, show);
    expect(heard.steps).toEqual([
      ...FIRED,
      ["L:x@10000", "late x@10000"],
      ["L:y@10100", "late y@10100"],
      ["W20000", "k=1 [14500,17500)@17499 on-time"],
    ]);
  });

  // A discarding pane shows what came since the last one, over the session as it is now. In the Flink that these are taken
  // from a firing that purged forgot the session itself, so that 10000 was late, or alone.
  test.each([
    [10, "accumulating", "k=2 [10000,14600)@14599 late", "k=3 [10000,17500)@17499 on-time"],
    [10, "discarding", "k=1 [10000,14600)@14599 late", "k=1 [10000,17500)@17499 on-time"],
    [10_000, "accumulating", "k=7 [1000,14600)@14599 late", "k=8 [1000,17500)@17499 on-time"],
    [10_000, "discarding", "k=1 [1000,14600)@14599 late", "k=1 [1000,17500)@17499 on-time"],
  ] as const)("sessions, %i ms late, %s", async (lateness, panes, late, last) => {
    const steps = `${STEPS} L:e@10000 L:e@14500 W20000 W100000`;
    const heard = await play(sessions(3_000, { lateness, panes }), steps, options, show);
    expect(heard.steps).toEqual([...FIRED, ["L:e@10000", late], ["W20000", last]]);
  });

  test("sliding, nothing late: an element counts in those of its windows that are open", async () => {
    const shape: Shape<Result> = (left) => {
      const out = left.window(hopping(3_000, 1_000)).aggregate("counts", count());
      return { out, late: out.late };
    };
    const { steps } = await play(
      shape,
      `L:e@1000#key2 W1999 L:e@2000#key2 W3000 L:e@3001#key1 L:e@2400#key2 L:e@2400#key2 L:e@3001#key1 L:e@3900#key2
       W6000 L:x@3001#key1 W25000`,
      options,
      ({ key, value }, time) => `${key}=${value}@${time}`,
    );
    expect(steps.map(([step, ...given]) => [step, ...given.toSorted()])).toEqual([
      ["W1999", "key2=1@1999"],
      ["W3000", "key2=2@2999"],
      ["W6000", "key1=2@3999", "key1=2@4999", "key1=2@5999", "key2=1@5999", "key2=4@4999", "key2=5@3999"],
      ["L:x@3001#key1", "late x@3001"],
    ]);
  });

  /** Elements at these times, the clock moved on in between; what each move shows. */
  async function early(panes: "accumulating" | "discarding", moves: readonly (number | `+${number}`)[]) {
    const shape = sessions(10, { early: every("5 seconds"), panes });
    const { driver, results } = begin(shape, options);
    const heard: string[] = [];
    for (const move of moves) {
      if (typeof move === "number") await driver.send("left", { key: "k", name: "e", time: move });
      else await driver.advance(`${move.slice(1)} seconds`);
      heard.push(...results.read().map(({ data, time }) => `${move} ${show(data, time)}`));
    }
    await driver.watermark("end");
    return [...heard, ...results.read().map(({ data, time }) => show(data, time))];
  }

  // Beam: testAfterProcessingTimeWithMergingWindow.
  test("sessions that merge show when the first of them would have", async () => {
    expect(await early("accumulating", [1, "+2", 3, "+2", "+1", "+9"])).toEqual([
      "+1 k=2 [1,13)@12 early",
      "k=2 [1,13)@12 on-time",
    ]);
    // Two that were apart until a third came, the later one with the earlier pane.
    expect(await early("accumulating", [20, "+2", 1, "+2", 10, "+1", "+9"])).toEqual([
      "+1 k=3 [1,30)@29 early",
      "k=3 [1,30)@29 on-time",
    ]);
  });

  test("a pane's delay starts anew with the first event after one was shown, whatever other panes had begun", async () => {
    expect(await early("discarding", [20, "+2", 1, "+1", 10, "+2", 11, "+2", "+2", "+1", "+9"])).toEqual([
      "+2 k=3 [1,30)@29 early",
      "+1 k=1 [1,30)@29 early",
    ]);
  });

  test("a late pane has a delay of its own: what was to be shown early was shown at the end", async () => {
    const shape: Shape<Result> = (left) => ({
      out: left
        .window(tumbling(10), { early: every("5 seconds"), late: every("5 seconds"), lateness: 100 })
        .aggregate("counts", count()),
    });
    const { driver, results } = begin(shape, options);
    const send = () => driver.send("left", { key: "k", name: "e", time: 1 });
    const heard = () => results.read().map(({ data, time }) => show(data, time));
    await send();
    await driver.advance("1 second");
    await driver.watermark(9);
    expect(heard()).toEqual(["k=1 [0,10)@9 on-time"]);
    await driver.advance("1 second");
    await send();
    await driver.advance("4999 ms");
    expect(heard()).toEqual([]);
    await driver.advance(1);
    expect(heard()).toEqual(["k=2 [0,10)@9 late"]);
  });
});
