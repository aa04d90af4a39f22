/** AdSource: takes ad events, one JSON object each. An ad that is in no campaign is rejected. */
import type { SourceCollector } from "../../../src/index.ts";
import { parse, Source } from "../../../src/index.ts";
import type { AdEvent } from "./ad-event.ts";
import { adEventSchema } from "./ad-event.ts";

export class AdSource extends Source<AdEvent> {
  getEvents(input: unknown, collector: SourceCollector<AdEvent>): void {
    const event = parse(adEventSchema, input);
    collector.emit(event, { time: event.event_time });
  }
}
