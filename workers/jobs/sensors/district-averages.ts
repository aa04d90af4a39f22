/** DistrictAverages: the averages of temperature, traffic and pollution, in one accumulator. */
import type { Event } from "../../../src/index.ts";
import { Aggregate } from "../../../src/index.ts";
import type { Reading } from "./reading.ts";

/** How many readings, and the sums of what they have measured: `[readings, temperature, traffic, airQuality]`. */
export type Sums = readonly [readings: number, temperature: number, traffic: number, airQuality: number];

export interface Averages {
  readonly readings: number;
  readonly temperature: number;
  readonly traffic: number;
  readonly airQuality: number;
}

/**
 * Sums of floats depend on the order in which they are added, and that is the queue's: two runs over the same readings
 * agree up to rounding, so compare with a tolerance.
 */
export class DistrictAverages extends Aggregate<Reading, Sums, Averages> {
  override get signature(): string {
    return "district-averages@1";
  }

  create(): Sums {
    return [0, 0, 0, 0];
  }

  add([readings, temperature, traffic, airQuality]: Sums, { data }: Event<Reading>): Sums {
    return [
      readings + 1,
      temperature + data.temperature,
      traffic + data.traffic,
      airQuality + data.airQuality,
    ];
  }

  merge(left: Sums, right: Sums): Sums {
    return [left[0] + right[0], left[1] + right[1], left[2] + right[2], left[3] + right[3]];
  }

  /** All 0 without a reading; a window exists from its first reading on, so no view shows that. */
  result([readings, temperature, traffic, airQuality]: Sums): Averages {
    const n = Math.max(readings, 1);
    return { readings, temperature: temperature / n, traffic: traffic / n, airQuality: airQuality / n };
  }
}
