/** Types: what the HTTP interface answers, as its own schemas say. */
import type { InferOutput } from "valibot";
import type {
  deadLetterSchema,
  deadLettersSchema,
  entriesSchema,
  healthSchema,
  jobSchema,
  jobsSchema,
  keySchema,
  redrivenSchema,
  ticketSchema,
  totalSchema,
  viewSchema,
  viewsSchema,
  windowsSchema,
} from "../../../src/cloudflare/query/schemas.ts";

export type Job = InferOutput<typeof jobSchema>;
export type Jobs = InferOutput<typeof jobsSchema>;
export type JobOperator = Job["operators"][number];
export type JobNode = Job["nodes"][number];
export type View = InferOutput<typeof viewSchema>;
export type Views = InferOutput<typeof viewsSchema>;
export type KeyAnswer = InferOutput<typeof keySchema>;
export type EntriesAnswer = InferOutput<typeof entriesSchema>;
export type WindowsAnswer = InferOutput<typeof windowsSchema>;
export type TotalAnswer = InferOutput<typeof totalSchema>;
export type Ticket = InferOutput<typeof ticketSchema>;
export type DeadLetter = InferOutput<typeof deadLetterSchema>;
export type DeadLetters = InferOutput<typeof deadLettersSchema>;
export type Redriven = InferOutput<typeof redrivenSchema>;

export type Health = InferOutput<typeof healthSchema>;
/** What has gone over one edge, from a source or an operator to an operator, since ever. */
export type Flow = Health["flows"][number];

export interface TimeWindow {
  readonly start: string;
  readonly end: string;
}

/** A value of a view: of a key, or of a key in a window. */
export interface Entry {
  readonly key: string;
  readonly value: unknown;
  readonly window?: TimeWindow;
  readonly final?: boolean;
}

export interface Total {
  readonly keys: number;
  readonly total: number;
  readonly overflow?: number;
}

/** What `POST /v1/sources/{source}` answers. */
export interface Accepted {
  readonly accepted: number;
  readonly rejected: readonly { readonly index: number; readonly error: string }[];
  readonly ticket: string;
}
