/** ProcessProcessor: gives each event, and each timer that is due, to a process function, with the state of its key. */
import type { Collector } from "../../../collector.ts";
import { messageOf, OperatorFailedError } from "../../../errors.ts";
import type { Event } from "../../../event.ts";
import type { ProcessPlan } from "../../../plan.ts";
import { LATE } from "../../../windows/trigger.ts";
import type { PackedEvent } from "../../segment.ts";
import { unpackEvent } from "../../segment.ts";
import { emitTime } from "../../source/chain.ts";
import { watermarkOf } from "../counters.ts";
import { reachedBy } from "../door.ts";
import type { DeadLetter } from "../protocol.ts";
import type { Fresh, InputRecord, Processor, Scratch } from "../scratch.ts";
import { recordKeys } from "./aggregate.ts";
import type { KeyEntry } from "./key-state.ts";
import { EXPIRY_TIMER, KeyWork } from "./key-state.ts";
import type { IndexedTimer, TimerDomain } from "./timer-index.ts";
import { timerKey } from "./timer-index.ts";

export class ProcessProcessor implements Processor {
  readonly growing = false;
  readonly #operator: ProcessPlan;

  constructor(operator: ProcessPlan) {
    this.#operator = operator;
  }

  keysOf(fresh: readonly Fresh[]): string[] {
    return recordKeys(fresh);
  }

  apply({ key, partial, segment }: InputRecord, scratch: Scratch): "applied" | "late" {
    const { process, eventTime } = this.#operator;
    const reached = eventTime.uses ? reachedBy(eventTime, segment, scratch.counters) : undefined;
    const event = unpackEvent(partial as PackedEvent, key, true);
    const late = this.#run(
      key,
      event,
      scratch,
      (work, collector) => process.apply(event, collector, work),
      reached,
    );
    if (!late) return "applied";
    const { id, time, data } = event;
    scratch.emit(LATE, { id, time, key, data });
    return "late";
  }

  remains({ key, partial }: InputRecord): Pick<DeadLetter, "event"> {
    return { event: unpackEvent(partial as PackedEvent, key, true) };
  }

  /** A timer is due. One that was moved or deleted since is not; one that throws is a dead letter, and is gone. */
  fire({ key, name, time, domain = "processing" }: IndexedTimer, scratch: Scratch): "done" {
    const { process, name: operator } = this.#operator;
    const entry = scratch.get(key) as KeyEntry | undefined;
    const timer = { key, name, time, domain };
    const timersOf = (work: KeyWork) => (domain === "event" ? work.eventTimers : work.timers);
    if ((domain === "event" ? entry?.e : entry?.t)?.[name] !== time) {
      scratch.deleteTimer(timerKey(timer));
      return "done";
    }
    // It leaves the index with the entry that is stored, unless its hook sets it again for the same time.
    const event = { id: `${operator}/${key}/${name}@${time}`, time };
    try {
      this.#run(key, event, scratch, (work, collector) => {
        timersOf(work).delete(name);
        if (name !== EXPIRY_TIMER) return process.onTimer(timer, collector, work);
        work.expire();
        return undefined;
      });
    } catch (error) {
      if (error instanceof OperatorFailedError) throw error;
      const message = messageOf(error);
      if (this.#operator.onError === "fail") throw new OperatorFailedError(operator, message);
      this.#run(key, event, scratch, (work) => timersOf(work).delete(name));
      const buried = { key, name, time, ...(domain === "event" ? { domain } : {}) };
      scratch.bury({ source: operator, operator, error: message, n: 0, timer: buried });
    }
    return "done";
  }

  /** Sets a timer that had failed once more, unless another one has taken its name. */
  arm({ key, name, time, domain }: IndexedTimer, scratch: Scratch): void {
    const event = { id: "", time };
    this.#run(key, event, scratch, (work) => {
      const timers = domain === "event" ? work.eventTimers : work.timers;
      if (timers.get(name) === undefined) timers.set(name, domain === "event" ? time : scratch.now);
    });
  }

  /** What a view shows: the state by name. */
  result(value: unknown): unknown {
    const { s = {} } = value as KeyEntry;
    const { process } = this.#operator;
    if (process.view !== undefined) {
      return process.view(Object.fromEntries(Object.entries(s).map(([name, [state]]) => [name, state])));
    }
    return Object.fromEntries(Object.entries(s).map(([name, [state]]) => [name, state]));
  }

  /** Runs a hook on a copy of the key's state; what it did counts when it has returned. @returns whether the event is late. */
  #run(
    key: string,
    origin: Pick<Event<unknown>, "id" | "time">,
    scratch: Scratch,
    hook: (work: KeyWork, collector: Collector<unknown>) => unknown,
    watermark = watermarkOf(scratch.counters),
  ): boolean {
    const { name, maxKeys, process } = this.#operator;
    const old = scratch.get(key) as KeyEntry | undefined;
    const { now } = scratch;
    const eventTime = process.options.eventTime === true;
    const work = new KeyWork({ operator: name, key, now, watermark, eventTime }, old);
    const emitted: [output: string | undefined, data: unknown, time: number][] = [];
    const returned = hook(work, {
      emit: (data, options) => emitted.push([undefined, data, emitTime(options, origin.time)]),
      emitTo: (output, data) => emitted.push([output, data, origin.time]),
    });
    if (returned instanceof Promise) {
      returned.catch(() => undefined);
      throw new TypeError(
        "a hook returned a Promise, but nothing waits for it; work that waits needs a stage",
      );
    }
    if (work.changed) this.#store(key, old, work.entry(), scratch, maxKeys);
    emitted.forEach(([output, data, time], n) => {
      scratch.emit(output, { id: n === 0 ? origin.id : `${origin.id}/${n}`, time, data });
    });
    return work.isLate;
  }

  #store(
    key: string,
    old: KeyEntry | undefined,
    entry: KeyEntry | null,
    scratch: Scratch,
    maxKeys: number,
  ): void {
    const { counters } = scratch;
    if (old === undefined && entry !== null && counters.keys >= maxKeys) {
      throw new RangeError(`this shard has its ${maxKeys} keys; raise maxKeys, or give state a ttl`);
    }
    index("processing", key, old?.t, entry?.t, scratch);
    index("event", key, old?.e, entry?.e, scratch);
    if (old === undefined && entry === null) return;
    counters.keys += (entry === null ? 0 : 1) - (old === undefined ? 0 : 1);
    scratch.put(key, entry);
  }
}

/** Takes the timers of an entry that changed out of the index, and puts those in that are new. */
function index(
  domain: TimerDomain,
  key: string,
  before: Readonly<Record<string, number>> = {},
  after: Readonly<Record<string, number>> = {},
  scratch: Scratch,
): void {
  for (const [name, time] of Object.entries(before)) {
    if (after[name] !== time) scratch.deleteTimer(timerKey({ key, name, time, domain }));
  }
  for (const [name, time] of Object.entries(after)) {
    if (before[name] !== time) scratch.setTimer(timerKey({ key, name, time, domain }));
  }
}
