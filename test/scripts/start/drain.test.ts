/** Drain: does not take what moves from place to place while it looks for nothing. */
import { expect, test, vi } from "vitest";
import { drain, type Remainder } from "../../../scripts/local/drain.ts";
import type { LedgerState } from "../../../scripts/local/instruments.ts";
import { planJobs } from "../../../src/index.ts";
import { clickstream } from "../../../workers/jobs/clickstream/clickstream-job.ts";
import { slowJob } from "../../../workers/jobs/exercises/6-slow-operator.ts";

const quiet: LedgerState = { backlog: 0, unsettled: 0, outputs: 0, commits: 7 };
const slow = planJobs([slowJob(1)]);

/** Gives these answers, and the last one for ever. */
function ledger(...answers: readonly Partial<LedgerState>[]) {
  let n = 0;
  return vi.fn(async (_: readonly string[]) => {
    const answer = answers[Math.min(n++, answers.length - 1)];
    return { ...quiet, ...answer };
  });
}

const valve = async () => ({ open: false, inFlight: 0 });

test("ends after three looks at nothing, and asks the shards that emit", async () => {
  const asked = ledger(quiet);
  expect(await drain(slow, { valve, ledger: asked })).toEqual({ requests: 0, messages: 0, outputs: 0 });
  expect(asked.mock.calls).toEqual([[["1/slow/0"]], [["1/slow/0"]], [["1/slow/0"]]]);
  const clicks = ledger(quiet);
  await drain(planJobs([clickstream]), { valve, ledger: clicks });
  expect(clicks.mock.calls[0]).toEqual([[]]);
});

test("waits for requests, queues, deliveries and outboxes alike", async () => {
  const seen: Remainder[] = [];
  const inFlight = [1, 0];
  const asked = ledger({}, { backlog: 2 }, { unsettled: 1 }, { outputs: 3 }, { outputs: 3 }, quiet);
  await drain(
    slow,
    { valve: async () => ({ open: false, inFlight: inFlight.shift() ?? 0 }), ledger: asked },
    { onProgress: (left) => void seen.push(left) },
  );
  expect(seen.slice(0, 5)).toEqual([
    { requests: 1, messages: 0, outputs: 0 },
    { requests: 0, messages: 2, outputs: 0 },
    { requests: 0, messages: 1, outputs: 0 },
    { requests: 0, messages: 0, outputs: 3 },
    { requests: 0, messages: 0, outputs: 3 },
  ]);
});

test("knows by a commit that something went from an outbox to a queue and back behind its back", async () => {
  const asked = ledger(quiet, quiet, { commits: 8 }, { commits: 9 }, { commits: 9 }, { commits: 9 });
  await drain(slow, { valve, ledger: asked });
  expect(asked).toHaveBeenCalledTimes(6);
});

test("gives up when it is told to, and says what is left", async () => {
  const ending = new AbortController();
  let looks = 0;
  const onProgress = () => {
    if (++looks === 3) ending.abort();
  };
  const left = await drain(
    slow,
    { valve, ledger: ledger({ backlog: 4, outputs: 1 }) },
    { signal: ending.signal, onProgress },
  );
  expect(left).toEqual({ requests: 0, messages: 4, outputs: 1 });
});
