/** EventRunner: runs a stage's code on one event, again if it fails, and says what it came to. */
import { messageOf, OperatorFailedError } from "../../errors.ts";
import type { Event } from "../../event.ts";
import type { StagePlan } from "../../plan.ts";
import type { StageEmission, StageOutcome } from "../shard/processors/relay.ts";

const FIRST_RETRY_MS = 200;

/**
 * Never throws but OperatorFailedError, when the stage keeps failing and its job's policy is `fail`.
 *
 * @param wait between two tries, ms.
 */
export async function runEvent(
  plan: StagePlan,
  event: Event<unknown>,
  wait: (ms: number) => Promise<void>,
): Promise<StageOutcome> {
  for (let attempt = 0; ; attempt++) {
    try {
      return { emitted: await emissionsOf(plan, event) };
    } catch (error) {
      if (attempt < plan.retries) {
        await wait(FIRST_RETRY_MS * 2 ** attempt);
        continue;
      }
      const message = messageOf(error);
      if (plan.onError === "fail") throw new OperatorFailedError(plan.name, message);
      return { dead: { operator: plan.name, error: message, event } };
    }
  }
}

async function emissionsOf({ stage, name }: StagePlan, event: Event<unknown>): Promise<StageEmission[]> {
  const emitted: StageEmission[] = [];
  let over = false;
  const push = (data: unknown, output?: string) => {
    if (over) throw new TypeError("emit was called after apply had returned");
    const n = emitted.length;
    const id = n === 0 ? event.id : `${event.id}/${n}`;
    emitted.push(output === undefined ? [id, event.time, data] : [id, event.time, data, output]);
  };
  try {
    await stage.apply(
      event,
      { emit: (data) => push(data), emitTo: (output, data) => push(data, output) },
      { operator: name, ...(event.key === undefined ? {} : { key: event.key }) },
    );
  } finally {
    over = true;
  }
  // What cannot be written down is this event's failure, and must not be its neighbours'.
  JSON.stringify(emitted);
  return emitted;
}
