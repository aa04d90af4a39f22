/** Changes between sources and shards, and of code as far as it can be compared: none of them can lose anything. */
import type { DescribedNode, PlanDescription } from "../describe.ts";
import type { Change } from "./change.ts";
import { missing, namedIn, nodesIn } from "./change.ts";

/** Everything between sources and shards; and the code of sources and operators, as far as it can be compared. */
export function stepChanges(running: PlanDescription, next: PlanDescription): Change[] {
  const before = nodesIn(running);
  const after = nodesIn(next);
  const named = new Set([...namedIn(running).keys(), ...namedIn(next).keys()]);
  const about = (change: Change["change"], { name, kind }: DescribedNode, reason: string): Change => ({
    ...{ change, what: named.has(name) ? kind : "step", name, compatible: true, reason },
  });
  const isStep = ({ name }: DescribedNode) => !named.has(name);
  return [
    ...missing(after, before)
      .map((id) => after.get(id) as DescribedNode)
      .filter(isStep)
      .map((node) => about("added", node, "messages in flight have passed this place")),
    ...missing(before, after)
      .map((id) => before.get(id) as DescribedNode)
      .filter(isStep)
      .map((node) => about("removed", node, "messages in flight have passed it, or keep their old routing")),
    ...[...after].flatMap(([id, now]) => {
      const then = before.get(id);
      if (then === undefined) return [];
      const code = then.code !== undefined && now.code !== undefined && then.code !== now.code;
      // Who feeds an operator is compared elsewhere.
      if (!isStep(now)) return code ? [about("edited", now, EDITED_OPERATOR)] : [];
      const moved = then.kind !== now.kind || String(then.inputs) !== String(now.inputs);
      if (!code && !moved) return [];
      return [about("edited", now, code && now.kind === "keyBy" ? EDITED_KEY : EDITED_STEP)];
    }),
  ];
}

const EDITED_STEP = "messages in flight keep what the old one made of them, and their old routing";
const EDITED_KEY = `${EDITED_STEP}; state stays under the keys that it has`;
const EDITED_OPERATOR = "its state is kept: if the format of that has changed, change its signature as well";
