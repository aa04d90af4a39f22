/**
 * Changes: what differs between the plan that runs and the one that is to follow it, and whether it may.
 *
 * What makes a change compatible is that nothing accepted is lost by it and no state misread. A message in flight was
 * routed before it was queued and keeps that routing; it must find the operator that it is for, with the shards and the
 * format that it was routed by. So names may be added and code be edited, but a name keeps what it stands for.
 */
import { PlanError } from "../../errors.ts";
import type { PlanDescription } from "../describe.ts";
import type { Change, ChangeOptions } from "./change.ts";
import { missing, namedIn } from "./change.ts";
import { namedChanges } from "./named-changes.ts";
import { stepChanges } from "./step-changes.ts";

/** All changes from the plan that runs to the next one, those that are refused first. */
export function changesOf(
  running: PlanDescription,
  next: PlanDescription,
  options: ChangeOptions = {},
): Change[] {
  const changes = [
    ...generationChange(running, next, options),
    ...jobChanges(running, next),
    ...namedChanges(running, next, options),
    ...stepChanges(running, next),
    ...retiredChanges(running, next),
  ];
  return [
    ...changes.filter(({ compatible }) => !compatible),
    ...changes.filter(({ compatible }) => compatible),
  ];
}

/** @throws PlanError that says what may not follow the running plan, why, and what to do. */
export function mustFollow(
  running: PlanDescription,
  next: PlanDescription,
  options: ChangeOptions = {},
): Change[] {
  const changes = changesOf(running, next, options);
  const refused = changes.filter(({ compatible }) => !compatible);
  if (refused.length === 0) return changes;
  const reasons = refused.map(
    ({ what, name, change, reason }) => `the ${what} "${name}" is ${change}: ${reason}`,
  );
  throw new PlanError(reasons.join("\n"));
}

function generationChange(
  { generation: from }: PlanDescription,
  { generation: to }: PlanDescription,
  { newGeneration = false }: ChangeOptions,
): Change[] {
  if (from === to) return [];
  const what = { change: "moved", what: "generation", name: `${from} → ${to}` } as const;
  if (to < from) {
    return [
      { ...what, compatible: false, reason: "generations only go up; state of an old one may be half moved" },
    ];
  }
  const anew = "all state starts anew, and what is in flight ends in dead letters";
  return [
    newGeneration
      ? { ...what, compatible: true, reason: anew }
      : {
          ...what,
          compatible: false,
          reason: `${anew}; undo it, or, if that is meant, let the queues run empty and say --new-generation`,
        },
  ];
}

function jobChanges(running: PlanDescription, next: PlanDescription): Change[] {
  const before = new Map(running.jobs.map((job) => [job.job, job]));
  const after = new Map(next.jobs.map((job) => [job.job, job]));
  const about = (change: Change["change"], name: string, reason: string): Change => ({
    ...{ change, what: "job", name, compatible: true, reason },
  });
  return [
    ...missing(after, before).map((name) => about("added", name, "nothing was there before it")),
    ...missing(before, after).map((name) =>
      about("removed", name, "see its sources and operators, which messages in flight may be for"),
    ),
    ...[...after].flatMap(([name, { onError }]) => {
      const old = before.get(name)?.onError;
      if (old === undefined || old === onError) return [];
      return [about("edited", name, `what fails from now on is handled by "${onError}", not "${old}"`)];
    }),
  ];
}

function retiredChanges(running: PlanDescription, next: PlanDescription): Change[] {
  const after = namedIn(next);
  return running.retired
    .filter((name) => !next.retired.includes(name) && !after.has(name))
    .map((name) => ({
      ...{ change: "removed", what: "retired name", name, compatible: true },
      reason:
        "what is in flight for it, if there still is anything (for 14 days there may be), ends in dead letters",
    }));
}
