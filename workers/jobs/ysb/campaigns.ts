/**
 * The register of campaigns: 100, with 10 ads each. The benchmark asks a Redis for it, event by event; a table that never
 * changes while the job runs is part of the code here.
 */
export const CAMPAIGNS = 100;
export const ADS_PER_CAMPAIGN = 10;

const campaigns: ReadonlyMap<string, string> = new Map(
  Array.from({ length: CAMPAIGNS * ADS_PER_CAMPAIGN }, (_, n) => [
    adName(n),
    `campaign-${Math.floor(n / ADS_PER_CAMPAIGN)}`,
  ]),
);

/** The nth ad, from 0. */
export function adName(n: number): string {
  return `ad-${n}`;
}

/** Undefined for an ad that is in no campaign. */
export function campaignOf(ad: string): string | undefined {
  return campaigns.get(ad);
}
