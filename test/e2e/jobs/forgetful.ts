/** A job that keeps what users did in two views and in files, for the end-to-end test of erasures. */
import type { Collector, Event, ProcessContext, SourceCollector } from "../../../src/index.ts";
import { count, files, Job, ProcessFunction, planJobs, Source } from "../../../src/index.ts";

export interface Visit {
  readonly user: string;
  readonly page: string;
}

class Visits extends Source<Visit> {
  getEvents(input: unknown, collector: SourceCollector<Visit>): void {
    collector.emit(input as Visit);
  }
}

/** Remembers where a user was last, and passes the visit on; no one may visit /broken. */
class LastPage extends ProcessFunction<Visit, Visit> {
  apply({ data }: Event<Visit>, collector: Collector<Visit>, context: ProcessContext): void {
    if (data.page === "/broken") throw new Error("there is no such page");
    context.state.value<string>("page").set(data.page);
    context.timers.set("forget", context.now + 86_400_000);
    collector.emit(data);
  }
}

const job = new Job("forgetful");
const visits = job.addSource(new Visits("visits")).keyBy(({ user }) => user);
visits
  .applyOperator(new LastPage("last-page"))
  .keyBy(({ user }) => user)
  .aggregate("visits-per-user", count());
// A batch is full with 20 events: some of each user are in files, some still wait when the key is erased.
visits.addSink(files("visit-log", { maxEvents: 20 }));

export const jobs = [job];
export const plan = planJobs(jobs);
