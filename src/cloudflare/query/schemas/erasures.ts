/** The shape of an erasure: what is done to forget a key, and what was found of it. */
import * as v from "valibot";
import { count, time } from "./shared.ts";

export const erasureSchema = v.pipe(
  v.strictObject({
    erasure: v.string(),
    view: v.string(),
    status: v.pipe(
      v.picklist(["running", "done", "failed"]),
      v.description("What goes wrong is tried again: failed is only what no repetition can bring about."),
    ),
    requested: time,
    finished: v.exactOptional(time),
    state: v.pipe(
      v.strictObject({ keys: count, timers: count }),
      v.description(
        "What the view had of the key: 0 keys if it had none. At least so many, as all counts here.",
      ),
    ),
    deadLetters: v.pipe(
      v.strictObject({ erased: count }),
      v.description("Of the key, at the view and at keyed file sinks. Their events count as applied now."),
    ),
    log: v.pipe(
      v.strictObject({ shards: count, rows: count }),
      v.description("Shards of the job whose commit log was wiped, and the rows of it that were emptied."),
    ),
    files: v.strictObject({
      sinks: v.pipe(
        v.array(
          v.strictObject({
            sink: v.string(),
            keyed: v.pipe(
              v.boolean(),
              v.description("False: its events carry no key, so nothing was looked for."),
            ),
            objects: v.pipe(count, v.description("Files that were looked at.")),
            rewritten: count,
            events: v.pipe(count, v.description("Events of the key that were taken out.")),
          }),
        ),
        v.description("The file sinks of the view's job."),
      ),
    }),
    waitingFor: v.exactOptional(v.pipe(v.string(), v.description("What has to be delivered first."))),
    error: v.exactOptional(v.string()),
    notes: v.pipe(v.array(v.string()), v.description("What it does not reach.")),
    links: v.strictObject({ self: v.string(), view: v.string() }),
  }),
  v.metadata({ ref: "Erasure" }),
);
