/** ProcessProcessor: gives each event, and each timer that is due, to a process function, with the state of its key. */
import type { Collector } from "../../../collector.ts";
import { messageOf, OperatorFailedError } from "../../../errors.ts";
import type { Event } from "../../../event.ts";
import type { ProcessPlan } from "../../../plan.ts";
import type { PackedEvent } from "../../segment.ts";
import { unpackEvent } from "../../segment.ts";
import type { DeadLetter } from "../protocol.ts";
import type { Fresh, InputRecord, Processor, Scratch } from "../scratch.ts";
import { recordKeys } from "./aggregate.ts";
import type { KeyEntry } from "./key-state.ts";
import { EXPIRY_TIMER, KeyWork } from "./key-state.ts";
import type { IndexedTimer } from "./timer-index.ts";
import { timerKey } from "./timer-index.ts";

export class ProcessProcessor implements Processor {
  readonly growing = false;
  readonly #operator: ProcessPlan;

  constructor(operator: ProcessPlan) {
    this.#operator = operator;
  }

  keysOf(fresh: readonly Fresh[]): Set<string> {
    return recordKeys(fresh);
  }

  apply({ key, partial }: InputRecord, scratch: Scratch): "applied" {
    const { process } = this.#operator;
    const event = unpackEvent(partial as PackedEvent, key, true);
    this.#run(key, event, scratch, (work, collector) => process.apply(event, collector, work));
    return "applied";
  }

  remains({ key, partial }: InputRecord): Pick<DeadLetter, "event"> {
    return { event: unpackEvent(partial as PackedEvent, key, true) };
  }

  /** A timer is due. One that was moved or deleted since is not; one that throws is a dead letter, and is gone. */
  fire({ key, name, time }: IndexedTimer, scratch: Scratch): void {
    const { process, name: operator } = this.#operator;
    const entry = scratch.get(key) as KeyEntry | undefined;
    if (entry?.t?.[name] !== time) {
      scratch.deleteTimer(timerKey({ key, name, time }));
      return;
    }
    // It leaves the index with the entry that is stored, unless its hook sets it again for the same time.
    const timer = { key, name, time };
    const event = { id: `${operator}/${key}/${name}@${time}`, time };
    try {
      this.#run(key, event, scratch, (work, collector) => {
        work.fired(name);
        if (name === EXPIRY_TIMER) work.expire();
        else process.onTimer(timer, collector, work);
      });
    } catch (error) {
      if (error instanceof OperatorFailedError) throw error;
      const message = messageOf(error);
      if (this.#operator.onError === "fail") throw new OperatorFailedError(operator, message);
      this.#run(key, event, scratch, (work) => work.fired(name));
      scratch.bury({ source: operator, operator, error: message, n: 0, timer });
    }
  }

  /** Sets a timer that had failed once more, unless another one has taken its name. */
  arm({ key, name, time }: IndexedTimer, scratch: Scratch): void {
    const event = { id: "", time };
    this.#run(key, event, scratch, ({ timers }) => {
      if (timers.get(name) === undefined) timers.set(name, time);
    });
  }

  /** What a view shows: the state by name. */
  result(value: unknown): unknown {
    const { s = {} } = value as KeyEntry;
    return Object.fromEntries(Object.entries(s).map(([name, [state]]) => [name, state]));
  }

  /** Runs a hook on a copy of the key's state; what it did counts when it has returned. */
  #run(
    key: string,
    origin: Pick<Event<unknown>, "id" | "time">,
    scratch: Scratch,
    hook: (work: KeyWork, collector: Collector<unknown>) => unknown,
  ): void {
    const { name, maxKeys } = this.#operator;
    const old = scratch.get(key) as KeyEntry | undefined;
    const work = new KeyWork(name, key, scratch.now, old);
    const emitted: [output: string | undefined, data: unknown][] = [];
    const returned = hook(work, {
      emit: (data) => emitted.push([undefined, data]),
      emitTo: (output, data) => emitted.push([output, data]),
    });
    if (returned instanceof Promise) {
      returned.catch(() => undefined);
      throw new TypeError(
        "a hook returned a Promise, but nothing waits for it; work that waits needs a stage",
      );
    }
    if (work.changed) this.#store(key, old, work.entry(), scratch, maxKeys);
    emitted.forEach(([output, data], n) => {
      scratch.emit(output, { id: n === 0 ? origin.id : `${origin.id}/${n}`, time: origin.time, data });
    });
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
    const before = old?.t ?? {};
    const after = entry?.t ?? {};
    for (const [name, time] of Object.entries(before)) {
      if (after[name] !== time) scratch.deleteTimer(timerKey({ key, name, time }));
    }
    for (const [name, time] of Object.entries(after)) {
      if (before[name] !== time) scratch.setTimer(timerKey({ key, name, time }));
    }
    if (old === undefined && entry === null) return;
    counters.keys += (entry === null ? 0 : 1) - (old === undefined ? 0 : 1);
    scratch.put(key, entry);
  }
}
