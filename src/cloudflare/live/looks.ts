/** Looks: what a feed finds when it looks at a view, or at the health of everything. */
import type { ViewPlan } from "../../plan.ts";
import type { Attempt } from "../attempt.ts";
import { attempt } from "../attempt.ts";
import { Problem } from "../http/problem.ts";
import type { QueryContext } from "../query/env.ts";
import type { HealthEnv } from "../query/read-health.ts";
import { readHealth } from "../query/read-health.ts";
import { readingOf } from "../query/read-view.ts";
import type { ShardsEnv } from "../query/shards.ts";
import type { LiveState } from "./message.ts";
import type { Topic } from "./topic.ts";

/** Members of the health that move by themselves, with the clock. */
const MOVING = new Set([
  "at",
  "frontier",
  "lagMs",
  "nextTimer",
  "oldestAgeMs",
  "oldestMessageAgeMs",
  "watermark",
]);

/** Never throws. */
export function lookAtView(
  env: ShardsEnv,
  context: QueryContext,
  view: ViewPlan,
  topic: Topic,
): Promise<Attempt<LiveState>> {
  return attempt(async (): Promise<LiveState> => {
    try {
      const answer = await readingOf(context, view, topic)(env);
      if ("entries" in answer) return { kind: "entries", entries: answer.entries };
      if ("key" in answer) return { kind: "entries", entries: [{ key: answer.key, value: answer.value }] };
      const { view: _view, ...total } = answer;
      return { kind: "total", total };
    } catch (error) {
      // A key that has no value yet is no failure, but a view without entries.
      if (error instanceof Problem && error.status === 404) return { kind: "entries", entries: [] };
      throw error;
    }
  });
}

/** Never throws. */
export function lookAtHealth(env: HealthEnv, context: QueryContext): Promise<Attempt<LiveState>> {
  return attempt(async (): Promise<LiveState> => {
    const health = await readHealth(env, context);
    const still = JSON.stringify(health, (name, value: unknown) => (MOVING.has(name) ? undefined : value));
    const { queues, operators, busy } = health;
    const waits =
      busy.length > 0 ||
      queues.some(({ backlog }) => (backlog?.messages ?? 0) > 0) ||
      operators.some(({ outbox }) => outbox.segments > 0);
    return { kind: "health", health, still, waits };
  });
}
