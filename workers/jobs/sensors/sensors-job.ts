/**
 * The sensors job, the opening of the article: sensors send temperature, traffic and air quality; it keeps the averages
 * of each district over the last minute, and tells when a sensor's pollution stays over its limit.
 */
import { count, hopping, Job, last, planJobs } from "../../../src/index.ts";
import { AlertHook, HOOK_SECRET, HOOK_URL } from "./alert-hook.ts";
import { DistrictAverages } from "./district-averages.ts";
import { PollutionAlerts } from "./pollution-alerts.ts";
import { ReadingSource } from "./reading-source.ts";

export const job = new Job("sensors");

// A second of patience for fuller batches: each batch is a commit of its own in every shard that it touches.
const readings = job.addSource(
  new ReadingSource("readings", { outOfOrderness: "5 seconds", batchSeconds: 1 }),
);

readings
  .keyBy(({ district }) => district)
  .window(hopping("1 minute", "10 seconds"))
  .applyOperator(new DistrictAverages("district-averages"));

const alerts = readings
  .map(({ sensor, district, airQuality }) => ({ sensor, district, airQuality }))
  .keyBy(({ sensor }) => sensor)
  .applyOperator(new PollutionAlerts("pollution"));

alerts.addSink(new AlertHook("alert-hook"));

// What a sensor's latest alert says, and how many it has raised.
alerts
  .keyBy(({ sensor }) => sensor)
  .aggregate(
    "alerts",
    last((alert) => alert),
  );

alerts
  .filter(({ kind }) => kind === "raised")
  .keyBy(({ sensor }) => sensor)
  .aggregate("alerts-raised", count());

export const plan = planJobs([job]);

/** Variables that it reads, which `npm start` passes on. */
export const variables = [HOOK_URL, HOOK_SECRET];
