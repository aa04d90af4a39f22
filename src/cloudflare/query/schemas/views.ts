/** The shapes of views: the list of them, and what each of their reads gives. */
import * as v from "valibot";
import { count } from "./shared.ts";

export const viewSchema = v.pipe(
  v.strictObject({
    view: v.string(),
    kind: v.pipe(
      v.picklist(["keyed", "windowed"]),
      v.description("What it has a value for: a key, or a key and a window."),
    ),
    job: v.string(),
    shards: count,
    numeric: v.nullable(
      v.pipe(v.boolean(), v.description("Whether all values are numbers; null when that is not known.")),
    ),
    window: v.exactOptional(
      v.strictObject({
        windows: v.pipe(v.string(), v.description("Which windows, like `tumbling:60000:0:event@1`.")),
        time: v.picklist(["event", "processing"]),
        latenessMs: count,
        retentionMs: count,
      }),
    ),
    links: v.strictObject({
      self: v.string(),
      top: v.string(),
      total: v.exactOptional(v.string()),
      job: v.string(),
    }),
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

export const windowsSchema = v.strictObject({
  view: v.string(),
  entries: v.array(
    v.pipe(
      v.strictObject({
        key: v.string(),
        window: v.strictObject({
          start: v.pipe(v.string(), v.description("ISO 8601, UTC; belongs to the window.")),
          end: v.pipe(v.string(), v.description("ISO 8601, UTC; does not belong to it.")),
        }),
        value: v.unknown(),
        final: v.pipe(v.boolean(), v.description("Nothing can change it any more.")),
      }),
      v.metadata({ ref: "WindowEntry" }),
    ),
  ),
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
export const viewAnswerSchema = v.union([keySchema, totalSchema, entriesSchema, windowsSchema]);
