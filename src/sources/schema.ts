/** Schemas of incoming records: any library that speaks Standard Schema (valibot, zod, …). */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { InvalidEventError } from "../errors.ts";

/**
 * Validates a record.
 *
 * @returns what the schema makes of it.
 * @throws InvalidEventError that names the field and what is wrong with it: `url: expected string but received 3`.
 */
export function parse<Output>(schema: StandardSchemaV1<unknown, Output>, input: unknown): Output {
  const result = schema["~standard"].validate(input);
  if (result instanceof Promise)
    throw new InvalidEventError("the source's schema is asynchronous; use a synchronous one");
  if (result.issues === undefined) return result.value;
  const [issue] = result.issues;
  const path = (issue?.path ?? [])
    .map((part) => String(typeof part === "object" ? part.key : part))
    .join(".");
  const message = plain(issue?.message ?? "not valid");
  throw new InvalidEventError(path === "" ? message : `${path}: ${message}`);
}

/** What libraries say of a field that is not there, in plain words; and an error must not carry a hostile megabyte back. */
function plain(text: string): string {
  if (/received undefined$/.test(text)) return "missing";
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
