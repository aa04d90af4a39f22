/** PollutionAlerts: raises an alert when a sensor stays over its district's limit for 30 s, and resolves it when that ends. */
import type { Collector, Event, ProcessContext, Timer } from "../../../src/index.ts";
import { ProcessFunction } from "../../../src/index.ts";
import { districts } from "./districts.ts";
import type { Change, Mark, SensorState } from "./episode.ts";
import { nextChange, settle } from "./episode.ts";
import type { Reading } from "./reading.ts";

export type AirReading = Pick<Reading, "sensor" | "district" | "airQuality">;

export interface Alert {
  readonly sensor: string;
  readonly district: string;
  readonly kind: "raised" | "resolved";
  /** The first reading over the limit, epoch milliseconds: with the sensor it names the episode. */
  readonly since: number;
  /** When it was over the limit for long enough, or the first reading that no longer was. Epoch milliseconds. */
  readonly at: number;
}

const SENSOR = "sensor";
const CHANGE = "change";
const NOTHING: SensorState = { waiting: [] };

/**
 * An episode starts with a sensor's first reading over the limit (not at it) and ends with the first one that is not.
 * If it is still going on at `since + 30 s`, it is raised, once; when it ends, it is resolved. One that ends at that
 * very moment is not raised.
 *
 * A sensor falls silent: a reading speaks for 10 s. An episode that is not raised yet is forgotten when its last reading
 * is older than that, at the moment when it would be raised or when the next reading comes, which then starts anew. An alert
 * that is raised stays: silence is no clean air, so only a reading within the limit resolves it.
 *
 * Readings come in any order, so they wait, as a few numbers, until the watermark has passed them: an alert is there when it is
 * due, plus the source's `outOfOrderness`, plus the second or two that watermarks take. `timeSorted` would put them in order as
 * well, with a timer for each; here a sensor that is within its limit, as nearly all are, sets none. A reading that
 * comes after the watermark has passed its time does not count: it goes to the side output `late`.
 */
export class PollutionAlerts extends ProcessFunction<AirReading, Alert> {
  constructor(name: string) {
    super(name, { eventTime: true });
  }

  override get signature(): string {
    return "pollution-alerts@1";
  }

  apply({ data, time }: Event<AirReading>, collector: Collector<Alert>, context: ProcessContext): void {
    if (time <= context.watermark) {
      context.late();
      return;
    }
    const { waiting, ...known } = this.#settled(data.sensor, collector, context);
    const mark: Mark = data.airQuality > limitOf(data.district) ? [time, data.district] : [time];
    keep({ ...known, waiting: [...waiting, mark] }, context);
  }

  override onTimer({ key }: Timer, collector: Collector<Alert>, context: ProcessContext): void {
    keep(this.#settled(key, collector, context), context);
  }

  /** The episode that goes on; sensors without one are not shown. */
  override view({ [SENSOR]: state }: Readonly<Record<string, unknown>>): unknown {
    return (state as SensorState | undefined)?.episode;
  }

  #settled(sensor: string, collector: Collector<Alert>, { state, watermark }: ProcessContext): SensorState {
    const known = state.value<SensorState>(SENSOR).get() ?? NOTHING;
    const settled = settle(known, watermark);
    for (const change of settled.changes) collector.emit(alertOf(sensor, change), { time: change.at });
    return settled.state;
  }
}

function alertOf(sensor: string, { district, kind, since, at }: Change): Alert {
  return { sensor, district, kind, since, at };
}

function keep(sensor: SensorState, { state, eventTimers }: ProcessContext): void {
  const value = state.value<SensorState>(SENSOR);
  if (sensor.episode === undefined && sensor.waiting.length === 0) value.clear();
  else value.set(sensor);
  const at = nextChange(sensor);
  if (at === undefined) eventTimers.delete(CHANGE);
  else eventTimers.set(CHANGE, at);
}

/** Districts that have left the register since a reading was accepted have no limit. */
function limitOf(district: string): number {
  return districts.get(district) ?? Number.POSITIVE_INFINITY;
}
