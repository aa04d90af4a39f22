/** AdEvent: somebody has seen, clicked or bought by an ad. Fields are named as in the Yahoo Streaming Benchmark. */
import * as v from "valibot";
import { campaignOf } from "./campaigns.ts";

export const adTypes = ["banner", "modal", "sponsored-search", "mail", "mobile"] as const;
export const eventTypes = ["view", "click", "purchase"] as const;

export const adEventSchema = v.object({
  user_id: v.string(),
  page_id: v.string(),
  ad_id: v.pipe(
    v.string(),
    v.check((ad) => campaignOf(ad) !== undefined, "not in the register of campaigns (campaigns.ts)"),
  ),
  ad_type: v.picklist(adTypes),
  event_type: v.picklist(eventTypes),
  /** When it happened: epoch milliseconds, or ISO 8601 with an offset. */
  event_time: v.union([v.number(), v.string()]),
  ip_address: v.string(),
});

export type AdEvent = v.InferOutput<typeof adEventSchema>;
