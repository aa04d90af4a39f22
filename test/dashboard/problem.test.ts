/** What the page makes of answers that are no success. */
import { expect, test } from "vitest";
import {
  ApiProblem,
  describe,
  hasNoKeys,
  needsKey,
  problemOf,
  sentenceOf,
} from "../../workers/dashboard/api/problem.ts";

const document = (detail: string) => JSON.stringify({ type: "about:blank", title: "?", status: 0, detail });

test("a problem document is told in its own words", () => {
  const problem = problemOf(429, document("the backlog is past its mark"), "7");
  expect(problem).toMatchObject({ status: 429, detail: "the backlog is past its mark", retryAfter: 7 });
  expect(describe(problem)).toBe("the backlog is past its mark");
});

test("anything else is told by its status", () => {
  for (const body of ["", "<h1>Bad gateway</h1>", "[]", "null", '{"detail":7}'])
    expect(problemOf(502, body, null).detail).toBe("The server answered 502.");
  expect(problemOf(503, "", "Wed, 21 Oct 2026 07:28:00 GMT").retryAfter).toBeUndefined();
});

test("a key is asked for where one could help, and where there are none yet", () => {
  const none = problemOf(
    503,
    document("this deployment has no keys yet, so it refuses everything: set keys"),
    null,
  );
  expect([401, 403].map((status) => needsKey(new ApiProblem(status, "?")))).toEqual([true, true]);
  expect([needsKey(none), hasNoKeys(none)]).toEqual([true, true]);
  const later = problemOf(503, document("a shard of the view keys does not answer"), "5");
  expect([needsKey(later), hasNoKeys(later)]).toEqual([false, false]);
  expect(needsKey(new ApiProblem(404, "no view"))).toBe(false);
});

test("what a visitor reads is a sentence, without what only programs can do about a key", () => {
  const unknown = problemOf(401, document("this key is not known: send Authorization: Bearer <key>"), null);
  expect(sentenceOf(unknown)).toBe("This key is not known.");
  expect(sentenceOf(new ApiProblem(400, "prefix: given more than once"))).toBe(
    "Prefix: given more than once.",
  );
  expect(sentenceOf(new Error("Is it running?"))).toBe("Is it running?");
  expect(sentenceOf("odd")).toBe("Odd.");
});
