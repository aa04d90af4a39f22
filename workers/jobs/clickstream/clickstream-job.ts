/** The clickstream job: counts page views by URL. */
import { Job } from "../../../src/index.ts";
import { ClickReader } from "./click-reader.ts";
import { PageViewCounter } from "./page-view-counter.ts";

export const clickstream = new Job("clickstream");

const clicks = clickstream.addSource(new ClickReader("clicks"));

clicks.keyBy((click) => click.url).applyOperator(new PageViewCounter("page-views"));
