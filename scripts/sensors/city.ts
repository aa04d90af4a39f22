/**
 * City: the sensors of the simulation, what each of them measures at any time, and the episodes of pollution that are
 * planned for it. The same seed makes the same city.
 */
import { Random } from "../../src/testing/random.ts";
import { districts } from "../../workers/jobs/sensors/districts.ts";
import type { Reading } from "../../workers/jobs/sensors/reading.ts";

export interface CityOptions {
  readonly sensors: number;
  /** How long it is simulated. */
  readonly seconds: number;
  readonly seed: number;
  /** Sensors of one gateway, which are all in one district. */
  readonly perGateway: number;
}

/** A reading as it is sent. */
export type TimedReading = Reading & { readonly time: number };

/** What a sensor does in a part of its episode, ms from the start of the simulation. `to` does not belong to it. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly doing: "over" | "silent" | "within";
}

export interface Episode {
  readonly parts: readonly Part[];
  /** Whether it has to lead to an alert, which is then resolved, if each second is measured. */
  readonly alerts: boolean;
}

/** One sensor in so many has an episode. */
const ONE_IN = 25;
const NAMES = [...districts.keys()];

export class City {
  readonly gateways: number;
  readonly episodes: ReadonlyMap<number, Episode>;
  readonly #options: CityOptions;

  constructor(options: CityOptions) {
    this.#options = options;
    this.gateways = Math.ceil(options.sensors / options.perGateway);
    this.episodes = planned(options);
  }

  /** The numbers of a gateway's sensors. */
  sensorsOf(gateway: number): number[] {
    const { sensors, perGateway } = this.#options;
    const first = gateway * perGateway;
    return Array.from({ length: Math.min(perGateway, sensors - first) }, (_, n) => first + n);
  }

  nameOf(sensor: number): string {
    return `sensor-${String(sensor).padStart(5, "0")}`;
  }

  districtOf(sensor: number): string {
    return NAMES[Math.floor(sensor / this.#options.perGateway) % NAMES.length] as string;
  }

  /**
   * What a sensor sends at a time; undefined while it is silent.
   *
   * @param start when the simulation began, epoch milliseconds.
   */
  reading(sensor: number, start: number, time: number): TimedReading | undefined {
    const elapsed = time - start;
    const part = this.episodes.get(sensor)?.parts.find(({ from, to }) => elapsed >= from && elapsed < to);
    if (part?.doing === "silent") return undefined;
    const district = this.districtOf(sensor);
    const limit = districts.get(district) as number;
    const random = new Random(
      Math.imul(this.#options.seed, 7919) ^ Math.imul(sensor + 1, 0x9e3779b1) ^ elapsed,
    );
    const share = part?.doing === "over" ? 1.05 + random.next() : 0.2 + 0.75 * random.next();
    return {
      sensor: this.nameOf(sensor),
      district,
      temperature: rounded(8 + 20 * random.next()),
      traffic: random.below(200),
      airQuality: rounded(limit * share),
      time,
    };
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Those that do not fit into the time of the simulation are left out. */
function planned({ sensors, seconds, seed }: CityOptions): Map<number, Episode> {
  const random = new Random(seed);
  const episodes = new Map<number, Episode>();
  for (let sensor = 0; sensor < sensors; sensor++) {
    if (random.below(ONE_IN) > 0) continue;
    const { alerts, lengths } = kindOf(random);
    const total = lengths.reduce((sum, [, length]) => sum + length, 0);
    const room = seconds * 1000 - total - 3_000;
    let from = 1_000 + random.below(Math.max(room, 1));
    const parts = lengths.map(([doing, length]): Part => {
      const part = { from, to: from + length, doing };
      from += length;
      return part;
    });
    if (room > 0) episodes.set(sensor, { parts, alerts });
  }
  return episodes;
}

type Length = readonly [Part["doing"], ms: number];

/** Of all kinds that an alert could go wrong with: see `PollutionAlerts`. */
function kindOf(random: Random): { readonly alerts: boolean; readonly lengths: readonly Length[] } {
  const between = (least: number, most: number) => 1_000 * (least + random.below(most - least + 1));
  switch (random.below(5)) {
    case 0:
      return { alerts: false, lengths: [["over", between(5, 27)]] };
    case 1: // Over the limit for longer than 30 s, but for a moment in between.
      return {
        alerts: false,
        lengths: [
          ["over", between(20, 26)],
          ["within", 2_000],
          ["over", between(20, 26)],
        ],
      };
    case 2: // Silent for too long before it could be raised.
      return {
        alerts: false,
        lengths: [
          ["over", 12_000],
          ["silent", between(13, 15)],
          ["over", 12_000],
        ],
      };
    case 3: // Silent while it is raised: still one episode.
      return {
        alerts: true,
        lengths: [
          ["over", 34_000],
          ["silent", between(13, 20)],
          ["over", 5_000],
        ],
      };
    default:
      return { alerts: true, lengths: [["over", between(33, 60)]] };
  }
}
