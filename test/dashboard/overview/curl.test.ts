/** Writes command lines that a shell takes apart again into exactly what was meant. */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { followLine, getLine, quoted, sendLine } from "../../../workers/dashboard/overview/curl.ts";

/** What a shell makes of a line: its words. `curl` itself does not run. */
function words(line: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }; ${line}`;
  const out = execFileSync("sh", ["-c", script], { env: { MILLRACE_KEY: "k1" }, encoding: "utf8" });
  return out.split("\0").slice(0, -1);
}

it.each([
  "",
  "/home",
  "it's",
  "$(touch /tmp/x)",
  "`id`",
  "a b\nc",
  '"',
  "\\",
  "<img src=x onerror=alert(1)>",
  "😀",
])("quotes %j", (text) => expect(words(`curl ${quoted(text)}`)).toEqual([text]));

it("reads, follows and sends, with a key where there are keys", () => {
  expect(words(getLine("http://h:1", "/v1/views/v?top=1&from=-1h", false))).toEqual([
    "http://h:1/v1/views/v?top=1&from=-1h",
  ]);
  expect(words(followLine("http://h:1", "/x", true))).toEqual([
    "-N",
    "-H",
    "accept: text/event-stream",
    "-H",
    "authorization: Bearer k1",
    "http://h:1/x",
  ]);
  expect(words(sendLine("http://h:1", "s", "/it's", false))).toEqual([
    "-H",
    "content-type: text/plain",
    "-d",
    "/it's",
    "http://h:1/v1/sources/s",
  ]);
  expect(words(sendLine("http://h:1", "s", '{"a": 1}', false))[1]).toBe("content-type: application/json");
  expect(words(sendLine("http://h:1", "a b", undefined, true))).toEqual([
    "-H",
    "content-type: application/json",
    "-H",
    "authorization: Bearer k1",
    "-d",
    "{}",
    "http://h:1/v1/sources/a%20b",
  ]);
});
