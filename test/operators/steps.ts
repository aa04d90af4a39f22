/** Steps: feeds a job events and watermarks in the notation of the reference cases, and hears what comes out. */
import type { KeyedStream, SourceCollector, Stream } from "../../src/index.ts";
import { Job, Source } from "../../src/index.ts";
import type { TestDriverOptions } from "../../src/testing/index.ts";
import { TestDriver } from "../../src/testing/index.ts";

/** `{side}{name}@{time}`, of a key: `L` is the left source, `R` the right one. */
export interface Element {
  readonly key: string;
  readonly name: string;
  readonly time: number;
}

class Elements extends Source<Element> {
  getEvents(input: unknown, collector: SourceCollector<Element>): void {
    const element = input as Element;
    collector.emit(element, { time: element.time });
  }
}

export interface Heard {
  /** What each step gave, of those that gave something: `[step, ...data]`, results before late elements. */
  readonly steps: readonly (readonly unknown[])[];
  readonly driver: TestDriver;
}

export type Shape<Out> = (
  left: KeyedStream<Element>,
  right: KeyedStream<Element>,
) => { readonly out: Stream<Out>; readonly late?: Stream<Element> };

/** Every way in which a case must give the same. */
export const WAYS: readonly (readonly [string, TestDriverOptions])[] = [
  ...[1, 4, 16].map((shards) => [`${shards} shards`, { shards }] as const),
  ["restarted after every step", { shards: 4, faults: { restarts: true } }],
  ["each message and call twice", { shards: 4, faults: { duplicates: true } }],
];

/**
 * Runs steps like `L:a@1000 R:b@1001 W2000` (of key `k`; `L:a@1000#x` of key `x`; `Wend` ends the stream).
 *
 * @param show what of a result is compared; with its event time.
 */
export async function play<Out>(
  shape: Shape<Out>,
  steps: string,
  options: TestDriverOptions = {},
  show: (data: Out, time: number) => unknown = (data, time) => `${JSON.stringify(data)}@${time}`,
): Promise<Heard> {
  const { driver, results, lates } = begin(shape, options);
  const heard: unknown[][] = [];
  for (const step of steps.trim().split(/\s+/)) {
    if (step.startsWith("W")) {
      const time = step.slice(1);
      await driver.watermark(time === "end" ? "end" : Number(time));
    } else {
      const [, side, name = "", time, key = "k"] = /^([LR]):(\w*)@(\d+)(?:#(\w+))?$/.exec(step) ?? [];
      if (side === undefined) throw new Error(`no step: ${step}`);
      await driver.send(side === "L" ? "left" : "right", { key, name, time: Number(time) });
    }
    const given = [
      ...results.read().map(({ data, time }) => show(data, time)),
      ...(lates?.read() ?? []).map(({ data }) => `late ${data.name}@${data.time}`),
    ];
    if (given.length > 0) heard.push([step, ...given]);
  }
  return { steps: heard, driver };
}

/** A driver of the job of a case, with what it hears, before the first step. */
export function begin<Out>(shape: Shape<Out>, options: TestDriverOptions = {}) {
  const job = new Job("case");
  const keyed = (name: string) => job.addSource(new Elements(name)).keyBy(({ key }) => key);
  const left = keyed("left");
  // A source that nobody reads is none.
  const { out, late } = shape(left, shape.length < 2 ? left : keyed("right"));
  const driver = new TestDriver(job, { ...options, watermarks: "explicit" });
  return { driver, results: driver.output(out), lates: late && driver.output(late) };
}
