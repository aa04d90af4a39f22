/** ClickEvent: somebody looked at a page. */
import type { Event } from "../../../src/index.ts";

export interface Click {
  /** The page, as the site names it: `/home`. */
  readonly url: string;
}

export type ClickEvent = Event<Click>;
