/** parse: what a schema says of a record, in a line that names the field, and no longer. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import { expect, test } from "vitest";
import { InvalidEventError, parse } from "../../src/index.ts";

const schema = v.object({ url: v.string(), tags: v.optional(v.array(v.object({ name: v.string() }))) });

test("what is valid comes out as the schema makes it", () => {
  expect(parse(schema, { url: "/", more: 1 })).toEqual({ url: "/" });
  expect(parse(v.pipe(v.string(), v.trim()), " a ")).toBe("a");
});

test.each([
  [{ url: 5 }, /^url: /],
  [{}, /^url: /],
  [{ url: "/", tags: [{ name: "a" }, { name: 1 }] }, /^tags\.1\.name: /],
  [null, /object/i],
  ["text", /object/i],
])("%j is refused with its field", (input, message) => {
  expect(() => parse(schema, input)).toThrow(InvalidEventError);
  expect(() => parse(schema, input)).toThrow(message);
});

test("a hostile megabyte does not come back", () => {
  const echo: StandardSchemaV1<unknown, string> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (input) => ({ issues: [{ message: String(input) }] }),
    },
  };
  expect(() => parse(echo, "x".repeat(1_000_000))).toThrow(/^x{200}…$/);
});

test("a schema without an issue's text, or one that waits, is refused all the same", () => {
  const silent: StandardSchemaV1<unknown, string> = {
    "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [] }) },
  };
  expect(() => parse(silent, 1)).toThrow("not valid");
  const waiting: StandardSchemaV1<unknown, string> = {
    "~standard": { version: 1, vendor: "test", validate: async () => ({ value: "x" }) },
  };
  expect(() => parse(waiting, 1)).toThrow(/asynchronous/);
});
