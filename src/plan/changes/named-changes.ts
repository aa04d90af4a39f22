/** Changes of what messages, queues and state know by name: sources and operators. */
import type { PlanDescription } from "../describe.ts";
import type { Change, ChangeOptions, Named } from "./change.ts";
import { missing, namedIn } from "./change.ts";

const RETIRED = "it is retired: what is still on its way to it is dropped";
const FORMER = "it was of the old generation";

/** Sources and operators: a name keeps its kind, its shards and its format for as long as its generation lasts. */
export function namedChanges(
  running: PlanDescription,
  next: PlanDescription,
  { newGeneration = false }: ChangeOptions,
): Change[] {
  const before = namedIn(running);
  const after = namedIn(next);
  const retired = new Set(next.retired);
  const moved = next.generation > running.generation;
  return [
    ...missing(after, before).map((name) => added(name, after.get(name) as Named, running)),
    ...missing(before, after).map((name) =>
      removed(
        name,
        before.get(name) as Named,
        retired.has(name) ? RETIRED : moved && newGeneration ? FORMER : undefined,
      ),
    ),
    ...[...after].flatMap(([name, now]) => {
      const then = before.get(name);
      if (then === undefined) return [];
      const identity = moved ? [] : identityChange(name, then, now);
      return identity.length > 0 ? identity : harmlessChange(name, then, now);
    }),
  ];
}

function added(name: string, { kind }: Named, { retired }: PlanDescription): Change {
  const reason = retired.includes(name)
    ? "it was retired: it goes on with the state that it had, if its shards and format are the same"
    : kind === "source"
      ? "it takes events once it is deployed"
      : "it starts empty, with what is emitted from now on";
  return { change: "added", what: kind, name, compatible: true, reason };
}

function removed(name: string, { kind, queue }: Named, permission: string | undefined): Change {
  const what = { change: "removed", what: kind, name } as const;
  if (permission !== undefined) return { ...what, compatible: true, reason: permission };
  const waiting =
    kind === "source" && queue !== undefined
      ? `messages may wait in ${queue.queue}, which nobody would take`
      : queue !== undefined
        ? `messages may wait in ${queue.queue}, which nobody would take, and others be on their way there`
        : "messages in flight for it would end in dead letters";
  return {
    ...what,
    compatible: false,
    reason: `${waiting}; bring it back, or, if what is in flight may be dropped, list it in \`retired\``,
  };
}

function identityChange(name: string, then: Named, now: Named): Change[] {
  const fields =
    then.kind === now.kind
      ? ([
          ["shards", shardsOf(then), shardsOf(now)],
          ["signature", signatureOf(then), signatureOf(now)],
        ] as const)
      : ([["kind", then.kind, now.kind]] as const);
  const [field, from, to] = fields.find(([, a, b]) => a !== b) ?? [];
  if (field === undefined) return [];
  return [
    {
      ...{ change: "changed", what: now.kind, name, compatible: false },
      reason: `its ${field} ${field === "shards" ? "are" : "is"} ${to}, but what runs under this name has ${from}, and keeps state by it; undo the change, or give the new one another name and retire this one`,
    },
  ];
}

function harmlessChange(name: string, then: Named, now: Named): Change[] {
  const about = (reason: string): Change => ({
    ...{ change: "edited", what: now.kind, name, compatible: true, reason },
  });
  const changes: Change[] = [];
  if (then.job !== now.job)
    changes.push(about(`it belongs to the job "${now.job}" now; its state goes along`));
  if ("sources" in then && "sources" in now && String(then.sources) !== String(now.sources)) {
    const list = now.sources.join(", ");
    changes.push(about(`it is fed by ${list} from now on; messages in flight keep their old routing`));
  }
  const [oldKeys, newKeys] = [then, now].map((one) => ("maxKeys" in one ? one.maxKeys : undefined));
  if (oldKeys !== newKeys)
    changes.push(about(`a shard takes ${newKeys} keys, not ${oldKeys}; it keeps those it has`));
  const { batchSize, batchSeconds, maxConsumers } = now.queue ?? {};
  const settings = [batchSize, batchSeconds, maxConsumers];
  const old = [then.queue?.batchSize, then.queue?.batchSeconds, then.queue?.maxConsumers];
  if (String(settings) !== String(old)) changes.push(about("its queue is consumed with other settings"));
  return changes;
}

function shardsOf(named: Named): number | undefined {
  return "shards" in named ? named.shards : undefined;
}

function signatureOf(named: Named): string | undefined {
  return "signature" in named ? named.signature : undefined;
}
