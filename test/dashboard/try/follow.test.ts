/** Follow: a line's way through a deployment in memory: each operator as it has it, and the values that it changed. */
import { expect, it } from "vitest";
import { planJobs } from "../../../src/index.ts";
import { ApiProblem } from "../../../workers/dashboard/api/problem.ts";
import type { OpenSource } from "../../../workers/dashboard/try/sources.ts";
import type { Ports } from "../../../workers/dashboard/try/terminal/follow.ts";
import { follow } from "../../../workers/dashboard/try/terminal/follow.ts";
import type { Accepted, LineState } from "../../../workers/dashboard/try/terminal/line.ts";
import { slowLane } from "../../../workers/jobs/slow-lane/slow-lane-job.ts";
import { testPlan } from "../../query/deployment.ts";
import { tried } from "./answers.ts";

async function states(text: string, source: OpenSource | undefined, ports: Ports): Promise<LineState[]> {
  if (source === undefined) throw new Error("there is no source");
  const seen: LineState[] = [];
  await follow({ id: "1", text }, source, ports, (state) => seen.push(state));
  return seen;
}

function lastOf(seen: readonly LineState[]): Accepted {
  const last = seen.at(-1);
  if (last?.step !== "accepted") throw new Error(JSON.stringify(last));
  return last;
}

it("shows each step in turn, the times by the server's clocks and by the page's, and the new values", async () => {
  const { sources, ports } = await tried(testPlan(), async (deployment, waits) => {
    if (waits === 1) await deployment.apply("clicks");
  });
  const seen = await states("/home", sources[0], ports);
  expect(
    seen.map((state) => (state.step === "accepted" ? (state.end ?? state.ways.length) : state.step)),
  ).toEqual(["sent", 0, 2, 2, 2, 2, "applied"]);
  const { ways, values, ms } = lastOf(seen);
  expect(ms).toBe(12);
  expect(ways.map(({ operator, applied }) => [operator, applied])).toEqual([
    ["counts", true],
    ["texts", true],
  ]);
  // Two pauses, of 40 and 60 ms.
  for (const { shards, seenMs } of ways) {
    expect(seenMs).toBe(100);
    expect(shards).toEqual([{ shard: expect.any(Number), afterMs: 100, late: 0, dead: 0 }]);
  }
  expect(values).toEqual([
    { view: "counts", key: "/home", value: 1 },
    { view: "texts", key: "/home", value: "1 times" },
  ]);
});

it("waits behind a stage for the value to change, which no ticket tells", async () => {
  const { deployment, sources, ports } = await tried(planJobs([slowLane], { generation: 7 }), async (it) => {
    if (it.queue("slow-clicks").size > 0) await it.apply("slow-clicks");
    else await it.apply("slow");
  });
  await deployment.send("slow-clicks", ["/home"]);
  await deployment.apply("slow-clicks");
  await deployment.apply("slow");
  const seen = await states("/home", sources[0], ports);
  const { ways, values, end } = lastOf(seen);
  expect(end).toBe("applied");
  expect(ways).toMatchObject([{ operator: "slow", applied: true }]);
  expect(values).toEqual([{ view: "slow-page-views", key: "/home", value: 2 }]);
});

it("gives up after a minute of waiting longer and longer, and says that it is still in flight", async () => {
  let waits = 0;
  const { deployment, sources, ports } = await tried(testPlan(), async (_, n) => {
    waits = n + 1;
  });
  const began = deployment.clock.now();
  const { end, ways } = lastOf(await states("/home", sources[0], ports));
  expect(end).toBe("in-flight");
  expect(ways.map(({ applied }) => applied)).toEqual([false, false]);
  expect(deployment.clock.now() - began).toBeLessThanOrEqual(60_000);
  expect(deployment.clock.now() - began).toBeGreaterThan(55_000);
  expect(waits).toBeLessThan(30);
});

it("says why a line was refused, and when it may come again", async () => {
  const { sources, ports } = await tried(testPlan());
  const refusing = (problem: unknown): Ports => ({ ...ports, post: () => Promise.reject(problem) });
  const last = async (problem: unknown) => (await states("x", sources[0], refusing(problem))).at(-1);
  expect(await last(new ApiProblem(429, "too much waits", 3))).toEqual({
    step: "refused",
    reason: "too much waits",
    retryAfter: 3,
  });
  const rejected = [{ index: 0, error: "url: empty" }];
  expect(await last(new ApiProblem(400, "see rejected", undefined, rejected))).toEqual({
    step: "refused",
    reason: "url: empty",
  });
  expect(await last(new ApiProblem(0, "no answer"))).toEqual({ step: "unanswered", reason: "no answer" });
});

it("goes on asking when a ticket's answer does not come, and forgets the trouble", async () => {
  const { sources, ports } = await tried(testPlan(), async (deployment) => deployment.apply("clicks"));
  let asked = 0;
  const flaky: Ports = {
    ...ports,
    ticket: (id) => (asked++ === 0 ? Promise.reject(new Error("gone")) : ports.ticket(id)),
  };
  const seen = await states("/home", sources[0], flaky);
  expect(seen).toContainEqual(expect.objectContaining({ trouble: "gone" }));
  expect(lastOf(seen)).toMatchObject({ end: "applied" });
  expect(lastOf(seen)).not.toHaveProperty("trouble");
});
