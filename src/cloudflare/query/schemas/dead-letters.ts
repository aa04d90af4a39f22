/** The shapes of dead letters, and of what is asked to be sent again. */
import * as v from "valibot";
import { count, time } from "./shared.ts";

const deadEvent = v.pipe(
  v.strictObject({
    id: v.string(),
    kind: v.literal("event"),
    source: v.pipe(
      v.string(),
      v.description("What it came from: a source, or the operator that had emitted it."),
    ),
    operator: v.pipe(v.string(), v.description("The operator that threw.")),
    error: v.string(),
    time: v.pipe(time, v.description("When it was dead-lettered.")),
    events: v.pipe(
      count,
      v.description(
        "How many events it accounts for; 0 where they were counted before: at a timer, or in a sink's buffer.",
      ),
    ),
    event: v.exactOptional(
      v.strictObject({
        id: v.string(),
        time,
        key: v.exactOptional(v.string()),
        data: v.unknown(),
        port: v.exactOptional(
          v.pipe(count, v.description("The input that it came in by, when not the first.")),
        ),
      }),
    ),
    timer: v.exactOptional(
      v.pipe(
        v.strictObject({ key: v.string(), name: v.string(), time }),
        v.description("A timer whose hook threw; redriven, it is set again, due at once."),
      ),
    ),
    record: v.exactOptional(
      v.pipe(
        v.strictObject({ key: v.string(), partial: v.unknown() }),
        v.description(
          "Events of one key, combined before the queue, where no single event can be told any more.",
        ),
      ),
    ),
  }),
  v.metadata({ ref: "DeadEvent" }),
);

const buriedMessage = v.pipe(
  v.strictObject({
    id: v.string(),
    kind: v.literal("message"),
    queue: v.string(),
    reason: v.string(),
    redrivable: v.boolean(),
    time: v.pipe(time, v.description("When it was buried.")),
    body: v.pipe(v.string(), v.description("Its first 1,000 characters, or all with body=full.")),
    bodyLength: v.pipe(count, v.description("Of the whole body, in characters.")),
  }),
  v.metadata({ ref: "BuriedMessage" }),
);

export const deadLetterSchema = v.variant("kind", [deadEvent, buriedMessage]);

export const deadLettersSchema = v.strictObject({
  events: v.pipe(count, v.description("Events in dead letters, in all.")),
  messages: v.pipe(count, v.description("Buried messages, in all.")),
  entries: v.array(deadLetterSchema),
  next: v.exactOptional(
    v.pipe(v.string(), v.description("The cursor of the next page, when there is more.")),
  ),
});

export const MAX_REDRIVE_IDS = 100;

export const redriveRequestSchema = v.union([
  v.strictObject({
    ids: v.pipe(
      v.array(v.string()),
      v.minLength(1),
      v.maxLength(MAX_REDRIVE_IDS),
      v.description("Ids as listed."),
    ),
  }),
  v.strictObject({
    all: v.literal(true),
    before: v.exactOptional(
      v.pipe(
        time,
        v.description(
          "Only those that are as old: what fails again while all are sent again is not sent for ever.",
        ),
      ),
    ),
    kind: v.exactOptional(
      v.pipe(v.picklist(["event", "message"]), v.description("Only events, or only buried messages.")),
    ),
    operator: v.exactOptional(v.pipe(v.string(), v.description("Only events of this operator."))),
  }),
]);

export const redrivenSchema = v.strictObject({
  redriven: v.pipe(count, v.description("How many dead letters and messages were sent again.")),
  more: v.exactOptional(
    v.pipe(
      v.literal(true),
      v.description("There are more than one request sends again: ask again, with this `before`."),
    ),
  ),
  before: v.exactOptional(v.pipe(time, v.description("When the first of such requests began."))),
});
