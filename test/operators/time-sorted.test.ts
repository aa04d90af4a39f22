/** Time-sorted input: a process function sees each key's events in the order of their times. */
import { describe, expect, test } from "vitest";
import type { Collector, Event, ProcessContext, Timer } from "../../src/index.ts";
import { ProcessFunction } from "../../src/index.ts";
import type { RandomElement } from "./random-steps.ts";
import { lateOf, randomSteps, recount, SEEDS, sortedSteps } from "./random-steps.ts";
import type { Element, Shape } from "./steps.ts";
import { begin, play, WAYS } from "./steps.ts";

/** Tells each event with its number, and a timer of its own one ms after each. */
class Numbered extends ProcessFunction<Element, string> {
  apply(
    event: Event<Element>,
    collector: Collector<string>,
    { state, eventTimers, watermark }: ProcessContext,
  ) {
    const n = state.value<number>("n");
    n.set((n.get() ?? 0) + 1);
    eventTimers.set(`after ${event.data.name}`, event.time + 1);
    collector.emit(`${n.get()} ${event.data.name}${watermark < event.time ? " early" : ""}`);
  }

  override onTimer({ name, domain }: Timer, collector: Collector<string>): void {
    collector.emit(`${name}, ${domain}`);
  }
}

const shape: Shape<string> = (left) => {
  const out = left.applyOperator(new Numbered("sorted", { timeSorted: true }));
  return { out, late: out.sideOutput<Element>("late") };
};

/** Puts one after the other what it sees. Its view shows the last; what is named "refused" it calls late. */
class Log extends ProcessFunction<Element, string> {
  apply({ data }: Event<Element>, collector: Collector<string>, context: ProcessContext) {
    if (data.name === "refused") {
      context.late();
      return;
    }
    const log = context.state.list<string>("log");
    log.add(data.name);
    collector.emit(log.get().join(" "));
  }

  override view({ log }: Readonly<Record<string, unknown>>): unknown {
    return (log as readonly string[]).at(-1);
  }
}

const logged: Shape<string> = (left) => {
  const out = left.applyOperator(new Log("log", { timeSorted: true }));
  return { out, late: out.sideOutput<Element>("late") };
};

describe.each(WAYS)("%s", (_, options) => {
  test("random streams are seen in the order of a plain sort", async () => {
    for (const seed of SEEDS) {
      const steps = randomSteps(seed).filter((step) => !("element" in step) || step.element.side === "L");
      const logs = new Map<string, string[]>();
      let waiting: RandomElement[] = [];
      const expected = recount(steps, {
        element(element, watermark) {
          if (element.time <= watermark) return [lateOf(element)];
          waiting.push(element);
          return [];
        },
        watermark(watermark) {
          const due = waiting.filter(({ time }) => time <= watermark).sort((a, b) => a.time - b.time);
          waiting = waiting.filter(({ time }) => time > watermark);
          return due.map(({ key, name, time }) => {
            const log = [...(logs.get(key) ?? []), name];
            logs.set(key, log);
            return `${log.join(" ")}@${time}`;
          });
        },
      });
      const show = (data: string, time: number) => `${data}@${time}`;
      const text = steps.map((step) => step.text).join(" ");
      const heard = await play(logged, text, options, show);
      expect(sortedSteps(heard.steps), `seed ${seed}`).toEqual(expected);
    }
  });

  test("events wait for the watermark and come in order; timers of the same time come after them", async () => {
    const show = (data: string, time: number) => `${data}@${time}`;
    const steps = "L:c@30 L:a@10 L:b@11 L:other@20#x W9 W11 L:late@11 L:d@12 Wend";
    const { steps: heard, driver } = await play(shape, steps, options, show);
    // The numbers say in which order they were taken; a step's output is listed by what it goes back to.
    expect(heard.map(([step, ...given]) => [step, ...given.toSorted()])).toEqual([
      ["W11", "1 a@10", "2 b@11", "after a, event@11"],
      ["L:late@11", "late late@11"],
      [
        "Wend",
        ...["1 other@20", "3 d@12", "4 c@30"],
        ...["after b, event@12", "after c, event@31", "after d, event@13", "after other, event@21"],
      ],
    ]);
    expect(driver.view("sorted").get("k")).toEqual({ n: 4 });
  });
});

test("the view is that of the function, and shows nothing of what waits", async () => {
  const { driver } = await play(logged, "L:b@20 L:a@10 L:c@30 L:x@30#x W20");
  expect(driver.view("log").entries()).toEqual([{ key: "k", value: "b" }]);
});

test("events of one time are in the order of their ids, those of one key by themselves", async () => {
  const { steps } = await play(logged, "L:a@10 L:b@10 L:x@10#x L:c@10 W10", {}, (data) => data);
  expect(sortedSteps(steps)).toEqual([["W10", "a", "a b", "a b c", "x"]]);
});

test("what a function calls late after it has waited is in the side output all the same", async () => {
  const { steps } = await play(logged, "L:refused@10 L:a@11 W20", {}, (data) => data);
  expect(steps).toEqual([["W20", "a", "late refused@10"]]);
});

test("timers in processing time reach the function too", async () => {
  class Minutes extends ProcessFunction<Element, string> {
    apply({ data }: Event<Element>, _collector: Collector<string>, { timers, now }: ProcessContext) {
      timers.set(data.name, now + 60_000);
    }
    override onTimer({ name, domain }: Timer, collector: Collector<string>): void {
      collector.emit(`${name}, ${domain}`);
    }
  }
  const { driver, results } = begin((left) => ({
    out: left.applyOperator(new Minutes("minutes", { timeSorted: true })),
  }));
  await driver.send("left", { key: "k", name: "a", time: 10 });
  await driver.watermark(10);
  await driver.advance("1 minute");
  expect(results.read().map(({ data }) => data)).toEqual(["a, processing"]);
});

test("without the option timers in event time are refused, and say what to do", async () => {
  const { driver } = await play(
    (left) => ({ out: left.applyOperator(new Numbered("unsorted")) }),
    "L:a@10 W20",
  );
  expect(driver.deadLetters()).toEqual([
    expect.objectContaining({ error: expect.stringContaining("eventTime: true") }),
  ]);
});
