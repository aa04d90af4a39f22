/** The shapes of all answers: the OpenAPI document is generated from them, and tests hold real answers against them. */
import * as v from "valibot";
import { problemSchema as plainProblem } from "../http/openapi.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp(), v.description("ISO 8601, UTC"));

/** Under a name, since every route answers it. */
export const problemSchema = v.pipe(plainProblem, v.metadata({ ref: "Problem" }));

export const jobSchema = v.pipe(
  v.strictObject({
    job: v.string(),
    nodes: v.pipe(
      v.array(v.strictObject({ name: v.string(), kind: v.string(), inputs: v.array(v.string()) })),
      v.description(
        "The graph: sources, stateless steps and stateful operators, inputs before their readers.",
      ),
    ),
    sources: v.array(
      v.strictObject({
        source: v.string(),
        queue: v.string(),
        deadLetterQueue: v.string(),
        operators: v.pipe(v.array(v.string()), v.description("The stateful operators behind the queue.")),
      }),
    ),
    operators: v.array(
      v.strictObject({
        operator: v.string(),
        sources: v.array(v.string()),
        shards: count,
        maxKeys: v.pipe(
          count,
          v.description("Keys that one shard keeps; beyond it keys are counted together."),
        ),
        view: v.string(),
      }),
    ),
    views: v.array(v.string()),
  }),
  v.metadata({ ref: "Job" }),
);

export const jobsSchema = v.strictObject({ jobs: v.array(jobSchema) });

export const viewSchema = v.pipe(
  v.strictObject({
    view: v.string(),
    kind: v.literal("keyed"),
    job: v.string(),
    shards: count,
    numeric: v.nullable(
      v.pipe(v.boolean(), v.description("Whether all values are numbers; null when that is not known.")),
    ),
    links: v.strictObject({ self: v.string(), top: v.string(), total: v.string(), job: v.string() }),
  }),
  v.metadata({ ref: "View" }),
);

export const viewsSchema = v.strictObject({ views: v.array(viewSchema) });

const entry = v.pipe(v.strictObject({ key: v.string(), value: v.unknown() }), v.metadata({ ref: "Entry" }));

export const keySchema = v.strictObject({ view: v.string(), key: v.string(), value: v.unknown() });

export const entriesSchema = v.strictObject({
  view: v.string(),
  entries: v.array(entry),
  next: v.exactOptional(
    v.pipe(v.string(), v.description("The cursor of the next page, when there is more.")),
  ),
});

export const totalSchema = v.strictObject({
  view: v.string(),
  keys: count,
  total: v.pipe(v.number(), v.description("The sum of all values that are numbers.")),
  overflow: v.exactOptional(
    v.pipe(
      count,
      v.description("Events of keys beyond the view's limit, counted together; absent when there are none."),
    ),
  ),
});

/** `?key=`, `?total=1`, and everything else that a view answers. */
export const viewAnswerSchema = v.union([keySchema, totalSchema, entriesSchema]);

const state = v.picklist(["applied", "in-flight"]);

export const ticketSchema = v.pipe(
  v.strictObject({
    ticket: v.string(),
    source: v.string(),
    state: v.pipe(state, v.description("Applied when it is at every operator.")),
    operators: v.array(
      v.strictObject({
        operator: v.string(),
        state,
        shards: v.pipe(
          v.array(v.strictObject({ shard: count, state })),
          v.description("The shards that hold keys of the request's events."),
        ),
      }),
    ),
  }),
  v.metadata({ ref: "Ticket" }),
);

const deadEvent = v.pipe(
  v.strictObject({
    id: v.string(),
    kind: v.literal("event"),
    source: v.string(),
    operator: v.pipe(v.string(), v.description("The operator that threw.")),
    error: v.string(),
    time: v.pipe(time, v.description("When it was dead-lettered.")),
    events: v.pipe(count, v.description("How many events it accounts for.")),
    event: v.exactOptional(
      v.strictObject({
        id: v.string(),
        time,
        key: v.exactOptional(v.string()),
        data: v.unknown(),
      }),
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

export const deadLettersSchema = v.strictObject({
  events: v.pipe(count, v.description("Events in dead letters, in all.")),
  messages: v.pipe(count, v.description("Buried messages, in all.")),
  entries: v.array(v.variant("kind", [deadEvent, buriedMessage])),
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
  v.strictObject({ all: v.literal(true) }),
]);

export const redrivenSchema = v.strictObject({
  redriven: v.pipe(count, v.description("How many dead letters and messages were sent again.")),
  more: v.exactOptional(
    v.pipe(v.literal(true), v.description("There are more than one request redrives: send it again.")),
  ),
});

const healthyShard = v.strictObject({ shard: count, keys: count, lsn: count, checkpointLsn: count });
const silentShard = v.strictObject({ shard: count, error: v.string() });

export const healthSchema = v.pipe(
  v.strictObject({
    status: v.pipe(v.picklist(["ok", "degraded"]), v.description("Degraded when something does not answer.")),
    queues: v.array(
      v.strictObject({
        queue: v.string(),
        backlog: v.nullable(
          v.pipe(
            v.strictObject({ messages: count, bytes: count }),
            v.description("Null where the platform does not say."),
          ),
        ),
        oldestMessageAgeMs: v.nullable(count),
      }),
    ),
    deadLetters: v.strictObject({
      events: v.pipe(count, v.description("Of the shards that answer.")),
      messages: v.nullable(count),
    }),
    operators: v.array(
      v.strictObject({ operator: v.string(), shards: v.array(v.union([healthyShard, silentShard])) }),
    ),
    problems: v.exactOptional(v.pipe(v.array(v.string()), v.description("Why it is degraded."))),
  }),
  v.metadata({ ref: "Health" }),
);
