/** The shape of a ticket: what became of a request. */
import * as v from "valibot";
import { count } from "./shared.ts";

const state = v.picklist(["applied", "in-flight"]);

export const ticketSchema = v.pipe(
  v.strictObject({
    ticket: v.string(),
    source: v.string(),
    state: v.pipe(state, v.description("Applied when it is at each of `operators`.")),
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
            v.array(v.strictObject({ shard: count, state })),
            v.description("The shards that the request's events touch."),
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
