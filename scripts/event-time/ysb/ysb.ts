/** The Yahoo Streaming Benchmark: as it is, and with its late events read, which then may not be combined by the source. */
import type { WindowResult } from "../../../src/index.ts";
import { campaignViews, job } from "../../../workers/jobs/ysb/ysb-job.ts";
import type { Benchmark } from "../benchmark.ts";
import type { AdEventOptions } from "./generator.ts";
import { adEvents } from "./generator.ts";
import { recountAds } from "./recount.ts";

const results: Benchmark["results"] = {
  stream: campaignViews,
  lines: (data) => {
    const { key, window, value } = data as WindowResult<number>;
    return [`${window.start} ${key} ${value}`];
  },
};

const late: Benchmark["results"] = {
  stream: campaignViews.late,
  lines: (data, time) => {
    const { campaign, ad } = data as { readonly campaign: string; readonly ad: string };
    return [`${time} ${campaign} ${ad}`];
  },
};

export interface YsbOptions extends Pick<AdEventOptions, "lateOneIn"> {
  /** Whether late events are read, and compared one by one. */
  readonly readLate?: boolean;
}

export function ysbOf({ readLate = false, ...rare }: YsbOptions = {}): Benchmark {
  return {
    name: readLate ? "ysb-late" : "ysb",
    job,
    source: "ads",
    results,
    ...(readLate ? { late } : {}),
    bound: 5_000,
    *events(events, seed) {
      for (const record of adEvents({ events, seed, ...rare })) yield { time: record.event_time, record };
    },
    recount: (events, seed, perRequest) => recountAds(adEvents({ events, seed, ...rare }), { perRequest }),
  };
}
