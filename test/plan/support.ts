/** Small sources, operators and sinks that jobs of plan tests are made of. */
import type {
  Collector,
  Event,
  Pulled,
  SinkBatch,
  SinkBinding,
  SinkOptions,
  SourceCollector,
  StageOptions,
} from "../../src/index.ts";
import { Operator, ProcessFunction, PullSource, Sink, Source, Stage } from "../../src/index.ts";
import type { Step, Target } from "../../src/plan.ts";

export interface Click {
  readonly url: string;
}

export const byUrl = ({ url }: Click): string => url;

export class Clicks extends Source<Click> {
  getEvents(input: unknown, collector: SourceCollector<Click>): void {
    collector.emit(input as Click);
  }
}

export class Ticks extends PullSource<Click, number> {
  getEvents(): Pulled<Click, number> {
    return { events: [], offset: 0 };
  }
}

/** An operator of a user's own: what it emits where is not known to the plan. */
export class Check extends Operator<Click, Click> {
  apply({ data }: Event<Click>, collector: Collector<Click>): void {
    if (data.url === "") collector.emitTo("bad", data);
    else collector.emit(data);
  }
}

export class Sessions extends ProcessFunction<Click, Click> {
  apply({ data }: Event<Click>, collector: Collector<Click>): void {
    collector.emit(data);
    collector.emitTo("late", data);
  }
}

export class Locate extends Stage<Click, Click> {
  async apply({ data }: Event<Click>, collector: Collector<Click>): Promise<void> {
    collector.emit(data);
  }
}

export const locate = (options: StageOptions = {}, name = "locate"): Locate => new Locate(name, options);

export class Lines extends Sink<unknown> {
  override readonly bindings: readonly SinkBinding[];

  constructor(name: string, bindings: readonly SinkBinding[] = [], options: SinkOptions = {}) {
    super(name, options);
    this.bindings = bindings;
  }

  async write(_batch: SinkBatch<unknown>): Promise<void> {}
}

/** Steps as nested lists of names: `[["clean", [["clean.key-by", ["views"]]]]]`; a port other than 0 as `views:1`. */
export function shapeOf(steps: readonly Step[]): unknown[] {
  return steps.map((step) => {
    if (step.kind === "target")
      return step.port === 0 ? step.target.name : `${step.target.name}:${step.port}`;
    if (step.kind === "keyBy") return [step.name, shapeOf(step.next)];
    const sides = Object.entries(step.sides).map(([output, behind]) => [output, shapeOf(behind)]);
    const shape = [step.operator.name, shapeOf(step.next)];
    return sides.length === 0 ? shape : [...shape, Object.fromEntries(sides)];
  });
}

export const namesOf = (targets: readonly Target[]): string[] => targets.map(({ name }) => name);
