/** Ports: the feeders' requests to the API. */
import { postJson } from "../../api/client.ts";
import type { Accepted } from "../../api/types.ts";
import type { FeederPorts } from "./feeder.ts";
import type { StrictPost } from "./probe.ts";

export const feederPorts: FeederPorts = {
  post: (source, events) => postJson<Accepted>(address(source), events),
  now: () => Date.now(),
  random: () => Math.random(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    }),
};

export const strictPost: StrictPost = (source, body) =>
  postJson(`${address(source)}?strict=1`, body, { "content-type": "application/x-ndjson" });

function address(source: string): string {
  return `/v1/sources/${encodeURIComponent(source)}`;
}
