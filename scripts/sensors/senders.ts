/** Senders: how the readings of a city come to the server: at the pace of the clock, or as a replay. */
import { setTimeout as sleep } from "node:timers/promises";
import type { City, TimedReading } from "./city.ts";
import type { Recount } from "./recount.ts";
import type { Server } from "./server.ts";

export interface Sending {
  readonly city: City;
  readonly server: Server;
  readonly recount: Recount;
  /** When the first second begins, epoch milliseconds. */
  readonly start: number;
  readonly seconds: number;
  readonly connections: number;
  /** Distinguishes the requests of this run from those of others. */
  readonly run: string;
}

export interface Sent {
  readonly requests: number;
  /** Readings that the server was too busy for (429), with `--single`: they count for nobody. */
  readonly refused: number;
  readonly seconds: number;
  /** How old the oldest reading of a request was when its answer came, ms, at most. */
  readonly oldest: number;
}

/** Two requests to send, the first of them later, have this between them at least. */
const TURN_MS = 1;

/**
 * Each gateway sends once a second what its sensors have measured in the second before. The gateways' turns are spread
 * over the second, and a request does not wait for the answers to others. A gateway numbers its requests.
 */
export async function sendLive({ city, server, recount, start, seconds, run }: Sending): Promise<Sent> {
  const began = Date.now();
  const running: Promise<void>[] = [];
  let oldest = 0;
  let failed: unknown;
  for (let turn = 0; turn < seconds * city.gateways && failed === undefined; turn++) {
    const due = start + 1_000 + (turn * 1_000) / city.gateways;
    const wait = due - Date.now();
    if (wait > TURN_MS) await sleep(wait);
    const gateway = turn % city.gateways;
    const sequence = Math.floor(turn / city.gateways);
    const readings = readingsOf(city, gateway, start, sequence);
    for (const reading of readings) recount.add(reading);
    const sent = server.post(readings, { producer: `${run}-gateway-${gateway}`, sequence }).then(() => {
      oldest = Math.max(oldest, Date.now() - Math.min(...readings.map(({ time }) => time)));
    });
    running.push(
      sent.catch((thrown: unknown) => {
        failed ??= thrown;
      }),
    );
  }
  await Promise.all(running);
  if (failed !== undefined) throw failed;
  return { requests: running.length, refused: 0, seconds: (Date.now() - began) / 1000, oldest };
}

/** The same requests as one numbered replay, some at a time; the last one says that it is the last. */
export async function sendFast(sending: Sending): Promise<Sent> {
  const { city, server, recount, start, seconds, connections, run } = sending;
  const began = Date.now();
  const total = seconds * city.gateways;
  let next = 0;
  async function sendSome(): Promise<void> {
    while (next < total) {
      const sequence = next++;
      const readings = readingsOf(
        city,
        sequence % city.gateways,
        start,
        Math.floor(sequence / city.gateways),
      );
      for (const reading of readings) recount.add(reading);
      const end = sequence === total - 1 ? { "millrace-end": "1" } : undefined;
      await server.post(readings, { producer: run, sequence }, { "millrace-replay": "1", ...end });
    }
  }
  await Promise.all(Array.from({ length: connections }, sendSome));
  return { requests: total, refused: 0, seconds: (Date.now() - began) / 1000, oldest: 0 };
}

/** What a gateway sends in a second: its sensors measure one after the other, and it sends after the last. */
function readingsOf(city: City, gateway: number, start: number, second: number): TimedReading[] {
  const sensors = city.sensorsOf(gateway);
  const turn = (gateway * 1_000) / city.gateways;
  return sensors
    .map((sensor, n) =>
      city.reading(sensor, start, start + second * 1_000 + Math.floor(turn + (n * 1_000) / sensors.length)),
    )
    .filter((reading) => reading !== undefined);
}
