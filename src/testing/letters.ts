/** Letters: the dead letters of a job in memory, listed in an order that no shard has a say in, and sent again. */
import type { MemoryShards } from "../engine/memory-shards.ts";
import type { DeadLetter } from "../engine/shard/protocol.ts";
import { Redrive } from "../engine/shard/redrive.ts";
import type { Shard } from "../engine/shard/shard.ts";
import { compareIds } from "./order.ts";
import type { TestRuntime } from "./test-runtime.ts";

/** A dead letter and the operator that it did not get to, or that threw. */
export interface TestLetter extends DeadLetter {
  readonly at: string;
}

interface Row {
  readonly number: number;
  readonly letter: TestLetter;
}

/** @param taps operators that only listen: their letters count where nobody else has the same. */
export function lettersOf({ plan, shards }: TestRuntime, taps: ReadonlySet<string>): TestLetter[] {
  const letters: TestLetter[] = shards.localDeadLetters.map((letter) => ({ ...letter, at: letter.operator }));
  const heard: TestLetter[] = [];
  for (const operator of plan.operators.keys()) {
    for (const shard of shards.shardsOf(operator)) {
      (taps.has(operator) ? heard : letters).push(...rowsOf(shard).map(({ letter }) => letter));
    }
  }
  const known = new Set(letters.map(nameOf));
  for (const letter of heard) {
    if (known.has(nameOf(letter))) continue;
    known.add(nameOf(letter));
    letters.push(letter);
  }
  return letters.sort(
    (a, b) => a.time - b.time || compareIds(`${nameOf(a)} ${a.at}`, `${nameOf(b)} ${b.at}`),
  );
}

/** Sends letters again. @throws Error when a shard does not take one now; they stay where they are. */
export async function redriveLetters(
  runtime: TestRuntime,
  which: (letter: TestLetter) => boolean,
): Promise<void> {
  const { plan, shards } = runtime;
  // All are looked up before any is sent, so that what fails again is not sent for ever.
  const found = [...plan.operators.keys()].flatMap((operator) =>
    shards.shardsOf(operator).map((shard) => ({
      operator,
      shard,
      numbers: rowsOf(shard)
        .filter(({ letter }) => which(letter))
        .map(({ number }) => number),
    })),
  );
  for (const { operator, shard, numbers } of found) {
    if (numbers.length > 0) await redrive(runtime, shards, operator, shard.options.shard, numbers);
  }
}

async function redrive(
  runtime: TestRuntime,
  shards: MemoryShards,
  operator: string,
  shard: number,
  numbers: readonly number[],
): Promise<void> {
  const host = shards.host(operator, shard);
  const redrive = host.guard((own) => new Redrive(runtime.plan, own, numbers));
  for (const { queue, messages } of redrive.sends) await runtime.queue(queue).send(messages);
  for (const call of redrive.calls) {
    const { busy, forgotten } = await shards.apply(call);
    if (busy !== true && forgotten.length === 0) continue;
    throw new Error(
      `${call.operator}/${call.shard} does not take a dead letter now; advance the clock and try again`,
    );
  }
  host.guard(() => redrive.finish());
}

function rowsOf(shard: Shard): Row[] {
  const at = shard.options.operator.name;
  return shard.options.store.listDeadLetters(0, Number.MAX_SAFE_INTEGER).map(({ number, data }) => ({
    number,
    letter: { ...(JSON.parse(data) as DeadLetter), at },
  }));
}

/** What has failed where; the same for all that have a letter of it. */
function nameOf({ source, operator, event, record, timer }: DeadLetter): string {
  return JSON.stringify([source, operator, event?.id, event?.port, record?.key, timer]);
}
