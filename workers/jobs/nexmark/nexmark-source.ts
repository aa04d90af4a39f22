/** NexmarkSource: takes people, auctions and bids, one JSON object each, told apart by `type`. */
import type { SourceCollector } from "../../../src/index.ts";
import { parse, Source } from "../../../src/index.ts";
import type { NexmarkEvent } from "./model.ts";
import { nexmarkEventSchema } from "./model.ts";

export class NexmarkSource extends Source<NexmarkEvent> {
  constructor(name: string) {
    super(name, { outOfOrderness: "5 seconds" });
  }

  getEvents(input: unknown, collector: SourceCollector<NexmarkEvent>): void {
    const event = parse(nexmarkEventSchema, input);
    collector.emit(event, { time: event.dateTime });
  }
}
