/** The clickstream job: counts page views by URL, in all and per minute. */
import { count, Job, tumbling } from "../../../src/index.ts";
import { ClickReader } from "./click-reader.ts";
import { PageViewCounter } from "./page-view-counter.ts";

export const clickstream = new Job("clickstream");

const clicks = clickstream.addSource(new ClickReader("clicks"));

const byUrl = clicks.keyBy((click) => click.url);

byUrl.applyOperator(new PageViewCounter("page-views"));

byUrl.window(tumbling("1 minute"), { lateness: "5 minutes" }).aggregate("page-views-per-minute", count());
