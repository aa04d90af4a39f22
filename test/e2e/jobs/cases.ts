/** The reference cases of event time as one job: each a source that states its watermark, in front of 1, 4 and 16 shards. */
import type {
  Collector,
  Event,
  SourceCollector,
  Stream,
  WindowAssigner,
  WindowOptions,
} from "../../../src/index.ts";
import { count, hopping, Job, Operator, planJobs, Source, session, tumbling } from "../../../src/index.ts";

/** An element, or a watermark. */
export interface Step {
  readonly key?: string;
  readonly name?: string;
  readonly time: number;
}

export const SHARDS = [1, 4, 16] as const;

class Steps extends Source<Step> {
  constructor(name: string) {
    super(name, { watermarks: "explicit" });
  }

  getEvents(input: unknown, collector: SourceCollector<Step>): void {
    const step = input as Step;
    if (step.key === undefined) collector.watermark(step.time);
    else collector.emit(step, { time: step.time });
  }
}

/** What a stream says, with its event time. */
class Said<T> extends Operator<T, string> {
  readonly text: (data: T) => string;

  constructor(name: string, text: (data: T) => string) {
    super(name);
    this.text = text;
  }

  apply({ data, time }: Event<T>, collector: Collector<string>): void {
    collector.emit(`${this.text(data)}@${time}`);
  }
}

const job = new Job("cases");

/** How often a stream said what: the view `{name}`. */
function said<T>(name: string, stream: Stream<T>, text: (data: T) => string): void {
  stream
    .applyOperator(new Said<T>(`${name}-text`, text))
    .keyBy((one) => one)
    .aggregate(name, count(), { shards: 1 });
}

function windows(name: string, assigner: () => WindowAssigner, options?: WindowOptions): void {
  const elements = job.addSource(new Steps(name)).keyBy(({ key = "" }) => key);
  for (const shards of SHARDS) {
    const counted = elements
      .window(assigner() as WindowAssigner<Step>, options)
      .aggregate(`${name}-${shards}`, count(), { shards });
    said(`${name}-${shards}-said`, counted, ({ key, value, window }) => {
      return `${key}=${value} [${window.start},${window.end})`;
    });
    said(`${name}-${shards}-late`, counted.late, ({ name: late = "" }) => late);
  }
}

windows("tumbling", () => tumbling(3_000));
windows("sliding", () => hopping(3_000, 1_000));
windows("purging", () => tumbling(2_000), { lateness: 500, panes: "discarding" });
windows("session", () => session(3_000));

const left = job.addSource(new Steps("left")).keyBy(({ key = "" }) => key);
const right = job.addSource(new Steps("right")).keyBy(({ key = "" }) => key);
for (const shards of SHARDS) {
  const joined = left.intervalJoin(
    `interval-${shards}`,
    right,
    { lower: 0, upper: 100 },
    (l, r) => `${l.name}${r.name}`,
    { shards },
  );
  said(`interval-${shards}-said`, joined, (pair) => pair);
}

export const jobs = [job];
export const plan = planJobs(jobs);
