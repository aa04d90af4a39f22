/** The shape of a ticket: what became of a request. */
import * as v from "valibot";
import { count, time } from "./shared.ts";

const state = v.picklist(["applied", "in-flight"]);

export const ticketSchema = v.pipe(
  v.strictObject({
    ticket: v.string(),
    source: v.string(),
    state: v.pipe(state, v.description("Applied when it is at each of `operators`.")),
    arrival: v.exactOptional(
      v.pipe(
        v.string(),
        v.isoTimestamp(),
        v.description(
          "When it was accepted, ISO 8601, UTC. A shard that has applied it knows this, so it is absent before the " +
            "first has, and after all have forgotten.",
        ),
      ),
    ),
    operators: v.pipe(
      v.array(
        v.strictObject({
          operator: v.string(),
          state: v.pipe(
            state,
            v.description(
              "Applied: at an aggregate or a process its view holds it; a sink has it in its buffer; a stage has worked " +
                "it off.",
            ),
          ),
          shards: v.pipe(
            v.array(
              v.strictObject({
                shard: count,
                state,
                appliedAt: v.exactOptional(time),
                lsn: v.exactOptional(count),
                late: v.exactOptional(count),
                dead: v.exactOptional(count),
              }),
            ),
            v.description(
              "The shards that the request's events touch. Applied lately: also when, by which commit (`lsn`, the " +
                "last one where there were several), and how many of the request's events were too late or " +
                "dead-lettered there. A shard remembers that for a few thousand segments, and after a restart for " +
                "those in its log.",
            ),
          ),
        }),
      ),
      v.description("The first operators with shards that the request's events come to."),
    ),
    beyond: v.exactOptional(
      v.pipe(
        v.array(v.string()),
        v.description(
          "Operators that read what those emit. A ticket does not reach them: what is emitted is counted there.",
        ),
      ),
    ),
  }),
  v.metadata({ ref: "Ticket" }),
);
