/** ProcessBench: a shard of a process function whose hooks a test writes, with a clock that it moves. */
import { VirtualClock } from "../../../src/clock.ts";
import { fireTimers } from "../../../src/engine/shard/timers.ts";
import type {
  Collector,
  Event,
  FailurePolicy,
  ProcessContext,
  ProcessOptions,
  Timer,
} from "../../../src/index.ts";
import { Job, ProcessFunction, planJobs } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { call, NOW, Records, shardOver, viewOf } from "../support.ts";
import { emittedBy, eventSegment, Nowhere } from "./support.ts";

export type Hook = (
  data: string,
  context: ProcessContext,
  collector: Collector<unknown>,
  event: Event<string>,
) => void;
export type TimerHook = (timer: Timer, context: ProcessContext, collector: Collector<unknown>) => void;

class Scripted extends ProcessFunction<string, unknown> {
  readonly hook: Hook;
  readonly timerHook: TimerHook;
  constructor(hook: Hook, timerHook: TimerHook, options: ProcessOptions) {
    super("scripted", options);
    this.hook = hook;
    this.timerHook = timerHook;
  }
  apply(event: Event<string>, collector: Collector<unknown>, context: ProcessContext): void {
    // A hook that returns something all the same is what JavaScript callers may write.
    const returned: undefined = this.hook(event.data, context, collector, event) as undefined;
    // biome-ignore lint/correctness/noVoidTypeReturn: that is what is tested
    return returned;
  }
  override onTimer(timer: Timer, collector: Collector<unknown>, context: ProcessContext): void {
    this.timerHook(timer, context, collector);
  }
}

/** A shard of a process function of these hooks; `give` applies events of keys, written `key:data`. */
export class ProcessBench {
  readonly store = new MemoryStore();
  readonly clock = new VirtualClock(NOW);
  readonly plan;
  shard;
  #sequence = 0;

  constructor(
    hook: Hook,
    timerHook: TimerHook = () => undefined,
    { onError = "dead-letter", ...options }: ProcessOptions & { onError?: FailurePolicy } = {},
  ) {
    const job = new Job("job", { onError });
    job
      .addSource(new Records<string>("records"))
      .keyBy((data) => data)
      .applyOperator(new Scripted(hook, timerHook, { shards: 1, ...options }))
      .addSink(new Nowhere("out"));
    this.plan = planJobs([job]);
    this.shard = this.#open();
  }

  #open() {
    return shardOver(this.store, this.plan, { operator: "scripted", clock: this.clock });
  }

  reopen(): this {
    this.shard = this.#open();
    return this;
  }

  give(...events: readonly string[]): this {
    const given = events.map((text) => {
      const [key = "", data = ""] = text.split(":");
      return { key, data };
    });
    this.shard.apply(call([eventSegment(this.#sequence++, given)], { operator: "scripted" }));
    return this;
  }

  /** Moves the clock and fires what is due by then. @returns whether more is due. */
  pass(ms: number): boolean {
    this.clock.advance(ms);
    return fireTimers(this.shard, this.clock.now());
  }

  get view(): Record<string, unknown> {
    return viewOf(this.shard);
  }

  get emitted(): unknown[] {
    return emittedBy(this.shard).map(({ data }) => data);
  }

  get timers(): number {
    return [...this.shard.timers.entries()].length;
  }
}
