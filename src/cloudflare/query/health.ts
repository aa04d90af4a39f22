/** Health: whether everything answers, what waits in the queues, and how far the shards are. */
import type * as v from "valibot";
import type { QueryApp, QueryContext } from "./env.ts";
import { described, only, parameters, scoped } from "./routing.ts";
import { healthSchema } from "./schemas.ts";
import type { Snapshot } from "./snapshot.ts";
import { takeSnapshot } from "./snapshot.ts";

export function addHealth(app: QueryApp, context: QueryContext): void {
  app.get(
    "/v1/health",
    described("health", {
      summary: "Backlogs, dead letters, shards",
      description: "Answers 200 even when something is silent: `status` says so, and `problems` what.",
      answer: healthSchema,
    }),
    scoped("read"),
    parameters({}),
    async (c) => c.json(healthOf(await takeSnapshot(c.env, context))),
  );
  only(app, "/v1/health", "GET");
}

function healthOf({ operators, queues, buried }: Snapshot): v.InferOutput<typeof healthSchema> {
  const problems: string[] = [];
  let events = 0;
  const shardsByOperator = operators.map(({ operator: { name }, shards }) => ({
    operator: name,
    shards: shards.map((attempt, shard) => {
      if ("error" in attempt) {
        problems.push(`operator ${name}, shard ${shard}: ${attempt.error}`);
        return { shard, error: attempt.error };
      }
      const { keys, lsn, checkpointLsn, flows } = attempt.answer;
      for (const { dead } of Object.values(flows)) events += dead;
      return { shard, keys, lsn, checkpointLsn };
    }),
  }));
  if ("error" in buried) problems.push(`buried messages: ${buried.error}`);
  return {
    status: problems.length === 0 ? "ok" : "degraded",
    queues: queues.map(({ source, metrics }) => ({
      queue: source.queue.queue,
      backlog: metrics === null ? null : { messages: metrics.messages, bytes: metrics.bytes },
      oldestMessageAgeMs: metrics?.oldestAge ?? null,
    })),
    deadLetters: { events, messages: "answer" in buried ? buried.answer : null },
    operators: shardsByOperator,
    ...(problems.length === 0 ? {} : { problems }),
  };
}
