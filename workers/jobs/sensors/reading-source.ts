/** ReadingSource: takes readings, one JSON object each, as sensors or the gateways before them send them. */
import * as v from "valibot";
import type { SourceCollector } from "../../../src/index.ts";
import { parse, Source } from "../../../src/index.ts";
import { districts } from "./districts.ts";
import type { Reading } from "./reading.ts";

const measured = v.pipe(v.number(), v.finite("not a finite number"));

export const readingSchema = v.object({
  sensor: v.pipe(v.string(), v.nonEmpty("empty; send the sensor's name")),
  district: v.pipe(
    v.string(),
    v.check((name) => districts.has(name), "not in the register of districts (districts.ts)"),
  ),
  temperature: measured,
  traffic: measured,
  airQuality: measured,
  /** When it was measured; when it arrives, if it does not say. */
  time: v.optional(v.union([v.string(), v.number()])),
});

export class ReadingSource extends Source<Reading> {
  override readonly example = JSON.stringify({
    sensor: "sensor-1",
    district: [...districts.keys()][0],
    temperature: 12.5,
    traffic: 20,
    airQuality: 40,
  });

  getEvents(input: unknown, collector: SourceCollector<Reading>): void {
    const { time, ...reading } = parse(readingSchema, input);
    collector.emit(reading, { time });
  }
}
