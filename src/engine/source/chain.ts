/** Chain: walks one event through the stateless steps in front of the queue, to the operators that it ends in. */
import { byteLength } from "../../byte-length.ts";
import type { Collector, EmitOptions } from "../../collector.ts";
import { InvalidEventError, messageOf, OperatorFailedError } from "../../errors.ts";
import type { Event } from "../../event.ts";
import type { FailurePolicy } from "../../job.ts";
import type { Operator } from "../../operator.ts";
import type { Step, Target } from "../../plan.ts";
import type { Passage } from "./passage.ts";
import { Trail } from "./passage.ts";

export const MAX_KEY_BYTES = 2048;

/** What happens to an event that a step throws on. */
export interface PassOptions {
  /** `dead-letter` by default. */
  readonly onError?: FailurePolicy;
  /** There is a sender who can be told that a key is invalid; else that is a failure like any other. */
  readonly refusable?: boolean;
}

/**
 * Walks an event through steps. What an operator throws is the event's failure, not its request's.
 *
 * @param trail one that has served already, to be used again.
 * @throws InvalidEventError when a key is not one and there is a sender to tell: the event is refused as a whole.
 * @throws OperatorFailedError when a step throws and the policy is `fail`.
 */
export function passThrough(
  steps: readonly Step[],
  event: Event<unknown>,
  options: PassOptions = {},
  trail = new Trail(),
): Passage {
  trail.begin();
  walk(steps, event, options, trail);
  return trail;
}

function walk(steps: readonly Step[], event: Event<unknown>, options: PassOptions, trail: Trail): void {
  for (const step of steps) {
    switch (step.kind) {
      case "target":
        trail.route(step.target, event, step.port);
        break;
      case "keyBy": {
        let key: string;
        try {
          key = checkKey(step.key(event.data));
        } catch (error) {
          fail(step, step.name, event, error, options, trail);
          break;
        }
        walk(step.next, { id: event.id, time: event.time, key, data: event.data }, options, trail);
        break;
      }
      case "operator": {
        const emitted = new Emitted(event);
        try {
          apply(step.operator, event, emitted);
        } catch (error) {
          fail(step, step.operator.name, event, error, options, trail);
          break;
        }
        for (const { output, event: emission } of emitted.list) {
          // Any name may be emitted to: those that an object has by nature are no outputs.
          if (output === undefined) walk(step.next, emission, options, trail);
          else if (Object.hasOwn(step.sides, output))
            walk(step.sides[output] ?? [], emission, options, trail);
        }
      }
    }
  }
}

function fail(
  step: Step,
  operator: string,
  event: Event<unknown>,
  error: unknown,
  { onError, refusable = true }: PassOptions,
  trail: Trail,
): void {
  if (error instanceof InvalidEventError && refusable) throw error;
  if (onError === "fail") throw new OperatorFailedError(operator, messageOf(error));
  for (const target of targetsOf(step)) {
    trail.fail({ target, operator, error: messageOf(error), event });
  }
}

/** All that an operator emits for an event; it counts only when the operator has returned. */
class Emitted implements Collector<unknown> {
  readonly list: { readonly output: string | undefined; readonly event: Event<unknown> }[] = [];
  readonly #event: Event<unknown>;

  constructor(event: Event<unknown>) {
    this.#event = event;
  }

  emit(data: unknown, options?: EmitOptions): void {
    this.#push(undefined, data, options);
  }

  emitTo(output: string, data: unknown): void {
    this.#push(output, data);
  }

  #push(output: string | undefined, data: unknown, options?: EmitOptions): void {
    const { id } = this.#event;
    const time = emitTime(options, this.#event.time);
    const n = this.list.length;
    this.list.push({ output, event: { id: n === 0 ? id : `${id}/${n}`, time, data } });
  }
}

/** @throws RangeError when a time was given that is none. */
export function emitTime({ time }: EmitOptions = {}, otherwise: number): number {
  if (time === undefined) return otherwise;
  if (Number.isSafeInteger(time) && time >= 0) return time;
  throw new RangeError(`emit: time is whole epoch milliseconds, not ${String(time)}`);
}

function apply(operator: Operator<unknown, unknown>, event: Event<unknown>, collector: Collector<unknown>) {
  const returned: unknown = operator.apply(event, collector, { operator: operator.name });
  if (!(returned instanceof Promise)) return;
  returned.catch(() => undefined);
  throw new TypeError(
    "apply returned a Promise, but nothing waits for it; work that waits needs a stage of its own",
  );
}

function targetsOf(step: Step): Set<Target> {
  if (step.kind === "target") return new Set([step.target]);
  return new Set([...step.next, ...sidesOf(step)].flatMap((next) => [...targetsOf(next)]));
}

function sidesOf(step: Step): readonly Step[] {
  return step.kind === "operator" ? Object.values(step.sides).flat() : [];
}

function checkKey(key: unknown): string {
  if (typeof key !== "string")
    throw new TypeError(`keyBy gives a string, not ${key === null ? "null" : typeof key}`);
  if (!key.isWellFormed())
    throw new InvalidEventError("key: has half of a surrogate pair; send well-formed Unicode");
  // A UTF-16 unit is at most three bytes of UTF-8: only long keys need counting.
  const bytes = key.length * 3 <= MAX_KEY_BYTES ? 0 : byteLength(key);
  if (bytes > MAX_KEY_BYTES) {
    throw new InvalidEventError(`key: ${bytes} bytes long, the limit is ${MAX_KEY_BYTES}`, true);
  }
  return key;
}

/** The step of this name, for an event that goes on where it failed. */
export function findStep(steps: readonly Step[], name: string): Step | undefined {
  for (const step of steps) {
    if (step.kind === "target") continue;
    if ((step.kind === "keyBy" ? step.name : step.operator.name) === name) return step;
    const found = findStep([...step.next, ...sidesOf(step)], name);
    if (found !== undefined) return found;
  }
  return undefined;
}
