/** Joins of two keyed streams: within a window, within an interval, and with a table as of event time. */
import { describe, expect, test } from "vitest";
import { PlanError, session, tumbling } from "../../src/index.ts";
import type { Element, Shape } from "./steps.ts";
import { play, WAYS } from "./steps.ts";

const names = (left?: Element, right?: Element) => `${left?.name ?? "-"}${right?.name ?? "-"}`;
const show = (data: string, time: number) => `${data}@${time}`;

describe.each(WAYS)("%s", (_, options) => {
  describe("an interval join, right − left in [0, 100]", () => {
    const shape: Shape<string> = (left, right) => {
      const out = left.intervalJoin("joined", right, { lower: 0, upper: 100 }, names);
      return { out, late: out.late };
    };

    test("the reference case: pairs come at once, with the later time", async () => {
      const lefts = "L:A0@1000 L:A1@1001 L:A2@1002 L:A3@1003";
      const { steps } = await play(shape, `${lefts} R:b@1000 R:c@1001 R:f@1100 R:a@999`, options, show);
      expect(steps).toEqual([
        ["R:b@1000", "A0b@1000"],
        ["R:c@1001", "A0c@1001", "A1c@1001"],
        ["R:f@1100", "A0f@1100", "A1f@1100", "A2f@1100", "A3f@1100"],
      ]);
    });

    test("whichever side comes first; each key for itself", async () => {
      const { steps } = await play(
        shape,
        "R:r@1100 L:a@1000 L:b@999 L:c@1100 L:d@1101 L:x@1050#other",
        options,
        show,
      );
      expect(steps).toEqual([
        ["L:a@1000", "ar@1100"],
        ["L:c@1100", "cr@1100"],
      ]);
    });

    test("what is at the watermark or before it is late; state goes when nothing can be paired with it", async () => {
      const { steps, driver } = await play(
        shape,
        "L:a@1000 W999 R:late@999 R:on@1000 W1101 R:b@1100 L:c@1101 Wend",
        options,
        show,
      );
      expect(steps).toEqual([
        ["R:late@999", "late late@999"],
        ["R:on@1000", "aon@1000"],
        ["R:b@1100", "late b@1100"],
        ["L:c@1101", "late c@1101"],
      ]);
      expect(driver.stats("joined").keys).toBe(0);
      expect(driver.stats("joined").flows.right).toMatchObject({ applied: 1, late: 2 });
    });
  });

  test("bounds may lie on both sides of zero, in words", async () => {
    const shape: Shape<string> = (left, right) => ({
      out: left.intervalJoin("joined", right, { lower: "-2 seconds", upper: "1 second" }, names),
    });
    const { steps } = await play(shape, "L:a@10000 R:p@7999 R:q@8000 R:r@11000 R:s@11001", options, show);
    expect(steps).toEqual([
      ["R:q@8000", "aq@10000"],
      ["R:r@11000", "ar@11000"],
    ]);
  });

  describe("a window join", () => {
    const of =
      (kind: "join" | "leftJoin" | "fullJoin"): Shape<string> =>
      (left, right) => {
        const out = left
          .window(tumbling(1_000))
          [kind]("joined", right, (l: Element | undefined, r: Element | undefined) => names(l, r));
        return { out, late: out.late };
      };
    const steps = "L:b@500 R:x@999 L:a@0 R:y@1000 L:c@2000 W998 W999 L:old@999 W1999 W2999";

    test.each([
      ["join", [["W999", "ax@999", "bx@999"]]],
      [
        "leftJoin",
        [
          ["W999", "ax@999", "bx@999"],
          ["W2999", "c-@2999"],
        ],
      ],
      [
        "fullJoin",
        [
          ["W999", "ax@999", "bx@999"],
          ["W1999", "-y@1999"],
          ["W2999", "c-@2999"],
        ],
      ],
    ] as const)("%s pairs when the window ends, in the order of times", async (kind, pairs) => {
      const { steps: heard, driver } = await play(of(kind), steps, options, show);
      expect(heard.filter(([step]) => step !== "L:old@999")).toEqual(pairs);
      expect(heard).toContainEqual(["L:old@999", "late old@999"]);
      expect(driver.stats("joined").keys).toBe(0);
    });
  });

  test("a table as of event time: each event gets the row of its own time, however they come", async () => {
    const shape: Shape<string> = (left, right) => {
      const out = left.enrichAsOf("joined", right, (event, row) => names(event, row));
      return { out, late: out.late };
    };
    const { steps, driver } = await play(
      shape,
      "L:c@25 R:two@20 L:a@5 R:one@10 L:b@15 W9 W20 R:late@12 R:newest@20 L:gone@20 R:three@30 L:d@30 Wend",
      options,
      show,
    );
    expect(steps).toEqual([
      ["W9", "a-@5"],
      ["W20", "bone@15"],
      ["R:late@12", "late late@12"],
      ["L:gone@20", "late gone@20"],
      ["Wend", "cnewest@25", "dthree@30"],
    ]);
    // The newest row stays: an event to come may want it.
    expect(driver.stats("joined").keys).toBe(1);
  });
});

test("what a join cannot do is refused, by name", async () => {
  const plan = (build: (...sides: Parameters<Shape<unknown>>) => unknown) =>
    play((left, right) => {
      build(left, right);
      return { out: left.enrich("never", right, names) };
    }, "W0");
  await expect(plan((l, r) => l.window(session(10)).join("j", r, names))).rejects.toThrow(PlanError);
  await expect(plan((l, r) => l.window(tumbling(10), { lateness: 5 }).join("j", r, names))).rejects.toThrow(
    "fires once, at its end",
  );
  await expect(plan((l, r) => l.intervalJoin("j", r, { lower: 5, upper: 1 }, names))).rejects.toThrow(
    "lower, 5 ms, is above upper, 1 ms",
  );
  await expect(plan((l, r) => l.intervalJoin("j", r, { lower: "soon", upper: 1 }, names))).rejects.toThrow(
    "intervalJoin j: lower",
  );
});
