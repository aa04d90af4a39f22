/** Chooses from real graphs: what stands first, which windows are its history, which sources feed it. */
import { beforeAll, expect, it } from "vitest";
import { count, Job, last, planJobs, tumbling } from "../../../src/index.ts";
import type { JobViews } from "../../../workers/dashboard/overview/choose.ts";
import {
  companionOf,
  jobsWithViews,
  mainView,
  sourcesOf,
} from "../../../workers/dashboard/overview/choose.ts";
import { ItemReader } from "../../query/deployment.ts";
import { answersOf } from "./answers.ts";

function shop() {
  const job = new Job("shop");
  const clicks = job.addSource(new ItemReader("clicks"));
  const byKey = clicks.keyBy(({ key }) => key);
  byKey.window(tumbling("1 hour")).aggregate("per-hour", count());
  byKey.window(tumbling("1 minute")).aggregate("per-minute", count());
  byKey.aggregate("views", count());
  byKey.aggregate(
    "latest",
    last(({ key }) => key),
  );
  const byLength = clicks.keyBy(({ key }) => String(key.length));
  byLength.aggregate("lengths", count());
  byLength.window(tumbling("2 days")).aggregate("lengths-per-days", count());
  return answersOf(planJobs([job]));
}

let chosen: JobViews;

beforeAll(async () => {
  const { jobs, views } = await shop();
  const [entry, ...others] = jobsWithViews(jobs, views);
  if (entry === undefined) throw new Error("the job has views");
  expect(others).toEqual([]);
  chosen = entry;
});

const named = (name: string) => {
  const view = chosen.views.find((one) => one.view === name);
  if (view === undefined) throw new Error(`no view ${name}`);
  return view;
};

it("puts the keyed view of numbers with the largest total first", () => {
  const { views } = chosen;
  expect(mainView(views)?.view).toBe("views");
  expect(
    mainView(
      views,
      new Map([
        ["lengths", 2],
        ["views", 1],
      ]),
    )?.view,
  ).toBe("lengths");
  expect(
    mainView(
      views,
      new Map([
        ["lengths", 2],
        ["views", 2],
      ]),
    )?.view,
  ).toBe("views");
});

it("puts the first of all first where none is of numbers", () => {
  const others = chosen.views.filter(({ numeric }) => numeric !== true);
  expect(mainView(others)?.view).toBe("per-hour");
  expect(mainView([])).toBeUndefined();
});

it("takes the windows of about a minute over the same stream for the history", () => {
  expect(companionOf(named("views"), chosen)?.view).toBe("per-minute");
  expect(companionOf(named("lengths"), chosen)).toBeUndefined();
});

it("finds the sources behind a view", () => {
  expect(sourcesOf(chosen.job, "lengths-per-days")).toEqual(["clicks"]);
  expect(sourcesOf(chosen.job, "nowhere")).toEqual([]);
});

it("leaves jobs without views away", () => {
  expect(jobsWithViews([chosen.job], [])).toEqual([]);
});
