/** A job whose sink waits for each of its batches, for the test of what objects are billed for while they wait. */
import type { SourceCollector } from "../../../src/index.ts";
import { Job, planJobs, Sink, Source } from "../../../src/index.ts";

export const WAIT_MS = 300;

class Words extends Source<string> {
  getEvents(input: unknown, collector: SourceCollector<string>): void {
    collector.emit(input as string);
  }
}

class Patient extends Sink<string> {
  async write(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
}

const job = new Job("patient");
job.addSource(new Words("words")).addSink(new Patient("patient"));

export const jobs = [job];
export const plan = planJobs(jobs);
