/** Single: each reading is a request of its own, sent as fast as the server answers. */
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "../bench/load/connection.ts";
import type { TimedReading } from "./city.ts";
import { SensorsError } from "./failure.ts";
import type { Sending, Sent } from "./senders.ts";

export interface SingleSending extends Omit<Sending, "server" | "run"> {
  /** Plain HTTP only. Without a slash at its end. */
  readonly url: string;
  readonly key: string | undefined;
}

/** What a 429 is waited out with at most, ms. */
const MOST_PAUSE_MS = 1_000;

/**
 * Sensors take turns; each measures at the moment when its request is sent, so event time is the clock, and a sensor's
 * next reading comes when all others have had their turn. A reading that is refused (429) is not sent again: its sensor
 * has a newer one at its next turn.
 *
 * @throws SensorsError for any other answer than 202 and 429; for a URL that is not plain HTTP.
 */
export async function sendSingle(sending: SingleSending): Promise<Sent> {
  const { city, recount, start, seconds, connections, url, key } = sending;
  const { protocol, hostname, port, pathname, host } = new URL(url);
  if (protocol !== "http:") throw new SensorsError("--single speaks plain HTTP only; leave it out");
  const to = { host: hostname, port: Number(port || 80) };
  const path = `${pathname.replace(/\/$/, "")}/v1/sources/readings`;
  const head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n${key === undefined ? "" : `authorization: Bearer ${key}\r\n`}`;
  const latest = new Map<number, number>();
  const sensors = Array.from({ length: city.gateways }, (_, gateway) => city.sensorsOf(gateway)).flat();
  const until = start + seconds * 1_000;
  await sleep(Math.max(0, start - Date.now()));
  const began = Date.now();
  let turn = 0;
  let requests = 0;
  let refused = 0;
  let oldest = 0;

  /** The next sensor that has something to say and has not spoken in this millisecond; undefined when none has. */
  function nextReading(): TimedReading | undefined {
    for (let tries = 0; tries < sensors.length; tries++) {
      const sensor = sensors[turn++ % sensors.length] as number;
      const time = Date.now();
      if (latest.get(sensor) === time) continue;
      const reading = city.reading(sensor, start, time);
      if (reading === undefined) continue;
      latest.set(sensor, time);
      return reading;
    }
    return undefined;
  }

  async function sendSome(): Promise<void> {
    const connection = await Connection.open(to);
    try {
      while (Date.now() < until) {
        const reading = nextReading();
        if (reading === undefined) {
          await sleep(1);
          continue;
        }
        const body = JSON.stringify(reading);
        const request = Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
        const answer = await connection.send(request);
        oldest = Math.max(oldest, Date.now() - reading.time);
        requests++;
        if (answer.status === 202) recount.add(reading);
        else if (answer.status === 429) {
          refused++;
          await sleep(Math.min(answer.retryAfter * 1000, MOST_PAUSE_MS));
        } else throw new SensorsError(`a reading was not accepted, ${answer.status}: ${answer.body}`);
      }
    } finally {
      connection.close();
    }
  }
  await Promise.all(Array.from({ length: connections }, sendSome));
  return { requests, refused, seconds: (Date.now() - began) / 1000, oldest };
}
