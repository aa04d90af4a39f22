/** The slow lane: the line of the backlog, and a ledger that comes out whatever was in flight before. */
import { expect, it } from "vitest";
import { healthSchema } from "../../../src/cloudflare/query/schemas.ts";
import { planJobs } from "../../../src/index.ts";
import type { Look, Scale } from "../../../workers/dashboard/try/slow-lane/backlog.ts";
import { pathOf, SPAN_MS, topOf, withLook } from "../../../workers/dashboard/try/slow-lane/backlog.ts";
import type { Ledger } from "../../../workers/dashboard/try/slow-lane/ledger.ts";
import { isEven, ledgerOf, since, withUnheard } from "../../../workers/dashboard/try/slow-lane/ledger.ts";
import { slowLane } from "../../../workers/jobs/slow-lane/slow-lane-job.ts";
import { Deployment } from "../../query/deployment.ts";

const slow = {
  job: "slow-lane",
  source: "slow-clicks",
  stage: "slow",
  highWater: 40,
  view: "slow-page-views",
};

function sumOf({ applied, late, dead, inFlight }: Ledger): number {
  return applied + late + dead + inFlight;
}

it("comes out at every moment, from a real deployment, also if something was waiting when one began", async () => {
  const deployment = new Deployment(planJobs([slowLane], { generation: 7 }));
  const look = async (): Promise<Ledger> => {
    const ledger = ledgerOf(await deployment.get("/v1/health", healthSchema), slow);
    if (ledger === undefined) throw new Error("health tells no flow into the stage");
    return ledger;
  };
  // What is handed on in one batch shares a message.
  const send = async (...urls: readonly string[]) => {
    await deployment.send("slow-clicks", urls);
    await deployment.apply("slow-clicks");
  };
  await send("/before", "/before");
  await send("/before");
  await deployment.apply("slow", 1);
  const before = await look();
  // Of the third, the stage's shard has not heard.
  expect(before).toMatchObject({ accepted: 2, applied: 2, inFlight: 0 });

  const sent = ["/a", "/b", "/a", "/c"];
  for (const url of sent) await deployment.send("slow-clicks", [url]);
  const told = async () => withUnheard(since(before, await look()), before.inFlight + sent.length);
  const unheard = await told();
  expect(sumOf(unheard)).toBe(unheard.accepted);
  expect(isEven(unheard)).toBe(false);
  await deployment.apply("slow-clicks");
  await deployment.apply("slow", 1);
  const midway = await told();
  expect(sumOf(midway)).toBe(midway.accepted);
  expect(midway.inFlight).toBeGreaterThan(0);
  expect(isEven(midway)).toBe(false);
  await deployment.apply("slow");
  const after = await told();
  expect(after).toMatchObject({ inFlight: 0, accepted: after.applied });
  expect(after.applied).toBe(sent.length + 1);
  expect(isEven(after)).toBe(true);
});

it("says nothing of a deployment that tells no flows", async () => {
  const deployment = new Deployment(planJobs([slowLane], { generation: 7 }));
  const { flows: _, ...health } = await deployment.get("/v1/health", healthSchema);
  expect(ledgerOf(health as Parameters<typeof ledgerOf>[0], slow)).toBeUndefined();
});

const scale: Scale = { now: SPAN_MS, width: 900, height: 100, top: 100 };

it("draws what was seen, level where nothing was, up to now", () => {
  const looks: Look[] = [
    { at: 0, messages: 0 },
    { at: 1_000, messages: 50 },
    { at: 45_000, messages: 100 },
  ];
  expect(pathOf(looks, scale)).toBe("M0,100L10,50L440,50L450,0L900,0");
  expect(pathOf([], scale)).toBe("");
});

it("keeps one look from before what is shown, and room above the mark", () => {
  let looks: readonly Look[] = [];
  for (let at = 0; at <= 200_000; at += 10_000) looks = withLook(looks, { at, messages: at / 10_000 });
  expect(looks.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, n) => 110_000 + n * 10_000));
  expect(topOf([], 40)).toBe(60);
  expect(topOf([{ at: 0, messages: 100 }], 40)).toBeCloseTo(110);
});
