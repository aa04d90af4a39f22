/** Chain: side outputs, ports and failures on the way through the stateless steps. */
import { describe, expect, test } from "vitest";
import { findStep, passThrough } from "../../../src/engine/source/chain.ts";
import type { Passage } from "../../../src/engine/source/passage.ts";
import { Trail } from "../../../src/engine/source/passage.ts";
import { InvalidEventError, OperatorFailedError } from "../../../src/errors.ts";
import type { Collector, Event, Stream } from "../../../src/index.ts";
import { count, Job, Operator, planJobs } from "../../../src/index.ts";
import type { SourcePlan } from "../../../src/plan.ts";
import { Nowhere } from "../shard/support.ts";
import { NOW, Records } from "../support.ts";

/** Emits what its event says, in order: `main`, or the name of a side output. */
class Emitting extends Operator<unknown, unknown> {
  apply({ data }: Event<unknown>, collector: Collector<unknown>): void {
    for (const output of data as string[]) {
      if (output === "throw") throw new Error("thrown");
      if (output === "main") collector.emit(output);
      else collector.emitTo(output, output);
    }
  }
}

function stepsOf(build: (stream: Stream<unknown>, job: Job) => void) {
  const job = new Job("job");
  build(job.addSource(new Records<unknown>("records")), job);
  return (planJobs([job]).sources.get("records") as SourcePlan).steps;
}

const event = (data: unknown) => ({ id: "e", time: NOW, data });
const shown = ({ routed }: Passage) =>
  routed.map(({ target, event: { id, data, key }, port }) => [
    target.name,
    id,
    data,
    ...(key === undefined ? [] : [key]),
    ...(port === 0 ? [] : [port]),
  ]);

describe("side outputs", () => {
  const steps = stepsOf((stream) => {
    const out = stream.applyOperator(new Emitting("emitting"));
    out.addSink(new Nowhere("main"));
    out.sideOutput("late").addSink(new Nowhere("late"));
    out
      .sideOutput("late")
      .map((data) => `${data} again`)
      .addSink(new Nowhere("late-too"));
    out.sideOutput("keyed").keyBy(String).aggregate("counts", count());
  });

  test("go to whoever reads them, under ids by the order of emission", () => {
    expect(shown(passThrough(steps, event(["late", "main", "keyed", "main"])))).toEqual([
      ["late", "e", "late"],
      ["late-too", "e", "late again"],
      ["main", "e/1", "main"],
      ["counts", "e/2", "keyed", "keyed"],
      ["main", "e/3", "main"],
    ]);
  });

  test("that nobody reads are dropped, whatever their name", () => {
    expect(shown(passThrough(steps, event(["nobody", "constructor", "__proto__", "", "main"])))).toEqual([
      ["main", "e/4", "main"],
    ]);
  });

  test("count nothing when their operator throws, and everybody behind it is told", () => {
    const { routed, failed } = passThrough(steps, event(["main", "late", "throw"]));
    expect(routed).toEqual([]);
    expect(failed.map(({ target, operator, error }) => [target.name, operator, error]).toSorted()).toEqual(
      ["counts", "late", "late-too", "main"].map((name) => [name, "emitting", "thrown"]),
    );
  });

  test("have steps that can be found by name, to go on where an event failed", () => {
    const step =
      findStep(steps, "records.emitting.output.late.map") ?? findStep(steps, "emitting.output.late-2.map");
    expect(step?.kind).toBe("operator");
    expect(findStep(steps, "emitting")?.kind).toBe("operator");
    // What an event goes on at is a step, not the operator behind it.
    expect(findStep(steps, "counts")).toBeUndefined();
    expect(findStep(steps, "nobody")).toBeUndefined();
  });
});

describe("a split", () => {
  const steps = stepsOf((stream) => {
    const { small, even, rest } = stream.split({
      small: (data) => (data as number) < 10,
      even: (data) => (data as number) % 2 === 0,
    });
    for (const [name, branch] of Object.entries({ small, even, rest })) branch.addSink(new Nowhere(name));
    small.union(rest).addSink(new Nowhere("both"));
  });

  test("sends each event to the first branch that takes it, or to the rest", () => {
    expect([4, 12, 13].map((data) => shown(passThrough(steps, event(data))).map(([name]) => name))).toEqual([
      ["small", "both"],
      ["even"],
      ["rest", "both"],
    ]);
  });
});

test("an enrich gets events by two ports, its own and the table's", () => {
  const steps = stepsOf((stream) => {
    stream
      .keyBy(String)
      .enrich(
        "joined",
        stream.map((data) => `row ${data}`).keyBy(() => "table"),
        (data) => data,
      )
      .addSink(new Nowhere("out"));
  });
  expect(shown(passThrough(steps, event("a")))).toEqual([
    ["joined", "e", "a", "a"],
    ["joined", "e", "row a", "table", 1],
  ]);
});

describe("a key that is none", () => {
  const steps = stepsOf((stream) => {
    stream.keyBy((data) => data as string).aggregate("counts", count());
    stream.addSink(new Nowhere("out"));
  });

  test("is its sender's error where there is one, and a failure like any other where there is none", () => {
    for (const key of ["\ud83d", "x".repeat(2049), "漢".repeat(700)]) {
      expect(() => passThrough(steps, event(key))).toThrow(InvalidEventError);
      const { routed, failed } = passThrough(steps, event(key), { refusable: false });
      expect([routed.length, failed.map(({ target }) => target.name)]).toEqual([1, ["counts"]]);
      expect(() => passThrough(steps, event(key), { refusable: false, onError: "fail" })).toThrow(
        OperatorFailedError,
      );
    }
    expect(passThrough(steps, event("x".repeat(2048))).failed).toEqual([]);
  });

  test("of another type is the job's error: it is dead, or refused by policy", () => {
    for (const key of [7, null, undefined, {}]) {
      expect(passThrough(steps, event(key)).failed.map(({ operator }) => operator)).toEqual([
        "records.key-by",
      ]);
      expect(() => passThrough(steps, event(key), { onError: "fail" })).toThrow(
        /records.key-by failed: keyBy gives/,
      );
    }
  });
});

test("a trail that is used again says of an event nothing that was of those before it", () => {
  const steps = stepsOf((stream) => {
    stream.applyOperator(new Emitting("emitting")).addSink(new Nowhere("main"));
  });
  const trail = new Trail();
  const said = ["main main main", "", "throw", "main main", "main", "main main main main"].map(
    (outputs, n) => {
      const { routed, failed } = passThrough(
        steps,
        { id: `${n}`, time: NOW, data: outputs.split(" ") },
        {},
        trail,
      );
      return [routed.map(({ event: { id } }) => id), failed.map(({ event: { id } }) => id)];
    },
  );
  expect(said).toEqual([
    [["0", "0/1", "0/2"], []],
    [[], []],
    [[], ["2"]],
    [["3", "3/1"], []],
    [["4"], []],
    [["5", "5/1", "5/2", "5/3"], []],
  ]);
});
