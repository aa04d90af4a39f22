/** A job whose stage can fall ill: from the word `spoil` on it throws on every word that begins with `bad`, until `cure`. And one that is slow. */
import type { Collector, Event, SourceCollector } from "../../../src/index.ts";
import { count, Job, planJobs, Source, stage } from "../../../src/index.ts";
import { slowJob } from "../../../workers/jobs/exercises/6-slow-operator.ts";

interface Word {
  readonly word: string;
}

class Words extends Source<Word> {
  getEvents(input: unknown, collector: SourceCollector<Word>): void {
    collector.emit(input as Word);
  }
}

/** The Worker's own memory: enough for one that runs here, once. */
let ill = false;

const job = new Job("checks");
job
  .addSource(new Words("words"))
  .applyOperator(
    stage({
      name: "checked",
      retries: 0,
      async apply({ data }: Event<Word>, collector: Collector<Word>) {
        if (data.word === "spoil" || data.word === "cure") ill = data.word === "spoil";
        if (ill && data.word.startsWith("bad")) throw new Error(`${data.word} cannot be checked`);
        collector.emit(data);
      },
    }),
  )
  .keyBy(({ word }) => word)
  .aggregate("word-counts", count(), { shards: 2 });

/** What each click takes in the slow job, ms. */
export const DELAY = 200;

export const plan = planJobs([job, slowJob(DELAY)]);
