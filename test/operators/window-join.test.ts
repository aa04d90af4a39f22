/** Window join: random streams against a plain recount, windows of one's own, and what it refuses. */
import { describe, expect, test } from "vitest";
import type { Event, Window } from "../../src/index.ts";
import {
  afterCount,
  eachEvent,
  hopping,
  PlanError,
  session,
  tumbling,
  WindowAssigner,
} from "../../src/index.ts";
import type { RandomElement } from "./random-steps.ts";
import { lateOf, randomSteps, recount, SEEDS, sortedSteps } from "./random-steps.ts";
import type { Element, Shape } from "./steps.ts";
import { play, WAYS } from "./steps.ts";

type Kind = "join" | "leftJoin" | "fullJoin";

const of =
  (kind: Kind, assigner: WindowAssigner<Element>): Shape<string> =>
  (left, right) => {
    const out = left
      .window(assigner)
      [kind]("joined", right, (l: Element | undefined, r: Element | undefined, { start, end }: Window) => {
        return `${l?.name ?? "none"}+${r?.name ?? "none"} [${start},${end})`;
      });
    return { out, late: out.late };
  };
const show = (data: string, time: number) => `${data}@${time}`;

/** Each window with a watermark that has passed its end, by itself. */
function joinedBy(kind: Kind, windowsOf: (time: number) => readonly Window[]) {
  const taken: { readonly element: RandomElement; readonly window: Window }[] = [];
  let [fired, late] = [0, 0];
  const pairsOf = (window: Window, key: string): string[] => {
    const all = taken.filter((one) => one.window.end === window.end && one.element.key === key);
    if (all.length === 0) return [];
    const [lefts, rights] = (["L", "R"] as const).map((side) => {
      const names = all.filter(({ element }) => element.side === side).map(({ element }) => element.name);
      const outer = kind === "fullJoin" || (kind === "leftJoin" && side === "R");
      return names.length === 0 && outer ? ["none"] : names;
    });
    return (lefts ?? []).flatMap((l) =>
      (rights ?? []).map((r) => `${l}+${r} [${window.start},${window.end})@${window.end - 1}`),
    );
  };
  return {
    get late() {
      return late;
    },
    element(element: RandomElement, watermark: number) {
      const open = windowsOf(element.time).filter(({ end }) => end - 1 > watermark);
      taken.push(...open.map((window) => ({ element, window })));
      if (open.length > 0) return [];
      late++;
      return [lateOf(element)];
    },
    watermark(watermark: number) {
      const due = new Map(
        taken
          .filter(({ window: { end } }) => end - 1 > fired && end - 1 <= watermark)
          .map(({ window }) => [window.end, window]),
      );
      fired = watermark;
      return [...due.values()].flatMap((window) => ["k", "x"].flatMap((key) => pairsOf(window, key)));
    },
  };
}

describe.each(WAYS)("%s", (_, options) => {
  test.each(["join", "leftJoin", "fullJoin"] as const)(
    "%s of random streams equals a plain recount",
    async (kind) => {
      let late = 0;
      for (const assigner of [tumbling(10), hopping(20, 5)]) {
        for (const seed of SEEDS) {
          const steps = randomSteps(seed);
          const oracle = joinedBy(kind, (time) => assigner.assign(time));
          const expected = recount(steps, oracle);
          const text = steps.map((step) => step.text).join(" ");
          const heard = await play(of(kind, assigner), text, options, show);
          expect(sortedSteps(heard.steps), `seed ${seed}`).toEqual(expected);
          expect(heard.driver.stats("joined").keys).toBe(0);
          late += oracle.late;
        }
      }
      expect(late).toBeGreaterThan(0);
    },
  );

  test("every left with every right of a window, by the times of the left, then of the right", async () => {
    const { steps } = await play(of("join", tumbling(10)), "R:q@9 L:b@5 R:p@1 L:a@2 L:c@8 W9", options, show);
    expect(steps).toEqual([
      ["W9", ...["a+p", "a+q", "b+p", "b+q", "c+p", "c+q"].map((p) => `${p} [0,10)@9`)],
    ]);
  });

  test("late for some of its windows: it is paired in the others", async () => {
    const { steps, driver } = await play(
      of("join", hopping(20, 10)),
      "L:a@5 W9 R:b@6 L:c@4 W19",
      options,
      show,
    );
    expect(steps).toEqual([["W19", "c+b [0,20)@19", "a+b [0,20)@19"]]);
    expect(driver.stats("joined").flows.left).toMatchObject({ applied: 2, late: 0 });
  });
});

test("windows of one's own see the event; two with one end are two; an event without one changes nothing", async () => {
  class ByName extends WindowAssigner<Element> {
    readonly signature = "by-name@1";
    assign(_time: number, { data }: Event<Element>): readonly Window[] {
      return data.name === "none" ? [] : [{ start: Number(data.name), end: 100 }];
    }
  }
  const { steps, driver } = await play(
    of("fullJoin", new ByName()),
    "L:10@15 R:10@20 R:20@25 L:none@30 W99",
    {},
    show,
  );
  expect(steps).toEqual([["W99", "10+10 [10,100)@99", "none+20 [20,100)@99"]]);
  expect(driver.stats("joined").flows.left).toMatchObject({ applied: 2, late: 0, dead: 0 });
});

test("a stream can be joined with itself", async () => {
  const { steps } = await play(
    (left) => {
      const out = left.window(tumbling(10)).join("joined", left, (l, r) => `${l.name}${r.name}`);
      return { out, late: out.late };
    },
    "L:a@1 L:b@2 W9",
    {},
    show,
  );
  expect(steps).toEqual([["W9", "aa@9", "ab@9", "ba@9", "bb@9"]]);
});

test.each<[string, (...sides: Parameters<Shape<unknown>>) => unknown, string]>([
  ["sessions", (l, r) => l.window(session(10)).join("j", r, () => 0), "sessions cannot be joined; use"],
  [
    "processing time",
    (l, r) => l.window(tumbling(10, { time: "processing" })).join("j", r, () => 0),
    "go by event time",
  ],
  ["lateness", (l, r) => l.window(tumbling(10), { lateness: 5 }).join("j", r, () => 0), "leave lateness"],
  [
    "an early trigger",
    (l, r) => l.window(tumbling(10), { early: afterCount(2) }).leftJoin("j", r, () => 0),
    "leave lateness",
  ],
  [
    "a late trigger",
    (l, r) => l.window(tumbling(10), { late: eachEvent() }).fullJoin("j", r, () => 0),
    "leave lateness",
  ],
  [
    "discarding panes",
    (l, r) => l.window(tumbling(10), { panes: "discarding" }).join("j", r, () => 0),
    "leave lateness",
  ],
  [
    "sorted input",
    (l, r) => l.window(tumbling(10)).join("j", r, () => 0, { timeSorted: true }),
    "leave timeSorted out",
  ],
])("a window join refuses %s and says what to do", async (_, build, message) => {
  const planned = play((left, right) => {
    build(left, right);
    return { out: left.enrich("never", right, () => 0) };
  }, "W0");
  await expect(planned).rejects.toThrow(PlanError);
  await expect(planned).rejects.toThrow(message);
});

test("streams of two jobs are not joined", async () => {
  let other: Parameters<Shape<string>>[1] | undefined;
  await play((left, right) => {
    other = right;
    return { out: left.enrich("never", right, ({ name }) => name) };
  }, "W0");
  await expect(
    play((left, right) => {
      const out = left.window(tumbling(10)).join("joined", other ?? right, (l, r) => `${l.name}${r.name}`);
      return { out };
    }, "W0"),
  ).rejects.toThrow("different jobs");
});
