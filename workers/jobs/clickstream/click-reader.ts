/** ClickReader: reads clicks, from a URL on a line or a JSON object with a `url`. */
import * as v from "valibot";
import type { SourceCollector } from "../../../src/index.ts";
import { parse, Source } from "../../../src/index.ts";
import type { Click } from "./click-event.ts";

export const clickSchema = v.object({
  url: v.pipe(
    v.string(),
    v.nonEmpty("empty; send the page's URL"),
    v.check((url) => url.isWellFormed(), "not well-formed Unicode"),
  ),
  time: v.optional(v.union([v.string(), v.number()])),
  id: v.optional(v.string()),
});

export class ClickReader extends Source<Click> {
  override readonly example = "/home";

  getEvents(input: unknown, collector: SourceCollector<Click>): void {
    const { url, time, id } = parse(clickSchema, typeof input === "string" ? { url: input.trim() } : input);
    collector.emit({ url }, { time, id });
  }
}
