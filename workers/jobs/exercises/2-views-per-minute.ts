/**
 * Exercise 2: counts the views of each page in each minute.
 *
 * The minute is a part of the key, and not the clock of whoever counts: it is fixed when the click arrives, so a click
 * that waits in a queue, or comes twice, is counted in the same minute all the same. No minute is ever declared over,
 * and none is forgotten; that is what windows are for.
 */
import { Job, planJobs } from "../../../src/index.ts";
import { ClickReader } from "../clickstream/click-reader.ts";
import { PageViewCounter } from "../clickstream/page-view-counter.ts";

export const job = new Job("exercise-2");

const clicks = job.addSource(new ClickReader("clicks"));

clicks
  // When it arrived, unless its sender says when it happened.
  .map(({ url }, { time }) => ({ url, minute: minuteOf(time) }))
  .keyBy(({ url, minute }) => `${minute} ${url}`)
  .applyOperator(new PageViewCounter("views-per-minute"));

export const plan = planJobs([job]);

/** `2026-01-31T12:00`, UTC: as text, minutes are in their order. */
function minuteOf(time: number): string {
  return new Date(time).toISOString().slice(0, 16);
}
