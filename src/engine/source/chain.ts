/** Chain: walks one event through the stateless steps in front of the queue, to the operators that it ends in. */
import { InvalidEventError, messageOf } from "../../errors.ts";
import type { Event } from "../../event.ts";
import type { Operator } from "../../operator.ts";
import type { Step, Target } from "../../plan.ts";

export const MAX_KEY_BYTES = 2048;

/** What became of one event: where it goes, and what threw on the way. */
export interface Passage {
  readonly routed: Routed[];
  /** One entry for each operator that the event would have been on its way to. */
  readonly failed: Failure[];
}

export interface Routed {
  readonly target: Target;
  readonly event: Event<unknown>;
}

export interface Failure {
  readonly target: Target;
  /** What threw. */
  readonly operator: string;
  readonly error: string;
  /** What it threw on: the event as it was at that step, so that its siblings from a flatMap are not sent again with it. */
  readonly event: Event<unknown>;
}

/**
 * Never throws for what an operator throws: that is the event's failure, not its request's.
 *
 * @throws InvalidEventError when a key is not one: the event is refused as a whole, to its sender.
 */
export function passThrough(steps: readonly Step[], event: Event<unknown>): Passage {
  const passage: Passage = { routed: [], failed: [] };
  walk(steps, event, passage);
  return passage;
}

function walk(steps: readonly Step[], event: Event<unknown>, passage: Passage): void {
  for (const step of steps) {
    switch (step.kind) {
      case "target":
        passage.routed.push({ target: step.target, event });
        break;
      case "keyBy": {
        let key: string;
        try {
          key = checkKey(step.key(event.data));
        } catch (error) {
          fail(step, step.name, event, error, passage);
          break;
        }
        walk(step.next, { id: event.id, time: event.time, key, data: event.data }, passage);
        break;
      }
      case "operator": {
        let outputs: Event<unknown>[];
        try {
          outputs = applied(step.operator, event);
        } catch (error) {
          fail(step, step.operator.name, event, error, passage);
          break;
        }
        for (const output of outputs) walk(step.next, output, passage);
      }
    }
  }
}

function fail(
  step: Step,
  operator: string,
  event: Event<unknown>,
  error: unknown,
  { failed }: Passage,
): void {
  if (error instanceof InvalidEventError) throw error;
  for (const target of targetsOf(step)) failed.push({ target, operator, error: messageOf(error), event });
}

/** All that an operator emits for an event; nothing, if it throws half-way. */
function applied(operator: Operator<unknown, unknown>, event: Event<unknown>): Event<unknown>[] {
  const outputs: Event<unknown>[] = [];
  const returned: unknown = operator.apply(
    event,
    {
      emit(data) {
        const id = outputs.length === 0 ? event.id : `${event.id}/${outputs.length}`;
        outputs.push({ id, time: event.time, data });
      },
    },
    { operator: operator.name },
  );
  if (returned instanceof Promise) {
    returned.catch(() => undefined);
    throw new TypeError(
      "apply returned a Promise, but nothing waits for it; work that waits needs a stage of its own",
    );
  }
  return outputs;
}

function targetsOf(step: Step): Set<Target> {
  if (step.kind === "target") return new Set([step.target]);
  return new Set(step.next.flatMap((next) => [...targetsOf(next)]));
}

function checkKey(key: unknown): string {
  if (typeof key !== "string")
    throw new TypeError(`keyBy gives a string, not ${key === null ? "null" : typeof key}`);
  if (!key.isWellFormed())
    throw new InvalidEventError("key: has half of a surrogate pair; send well-formed Unicode");
  // A UTF-16 unit is at most three bytes of UTF-8: only long keys need counting.
  const bytes = key.length * 3 <= MAX_KEY_BYTES ? 0 : new TextEncoder().encode(key).length;
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
    const found = findStep(step.next, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
