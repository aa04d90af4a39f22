/** The page's addresses: each leads back to the page that it was made of. */
import { describe, expect, test } from "vitest";
import { link, parseRoute, type Target } from "../../workers/dashboard/routes.ts";

const HOSTILE = [
  "/home",
  "a/b?c#d",
  "<img src=x onerror=alert(1)>",
  "%2F",
  "100%",
  "\u202egnp.exe",
  "😀",
  "",
  " ",
  "..",
];

test.each<Target>([
  { page: "overview" },
  { page: "graph" },
  { page: "graph", job: "clickstream" },
  { page: "try" },
  { page: "article" },
  { page: "view", view: "page-views" },
  { page: "view", view: "page-views", params: { prefix: "/a&b=c?#" } },
  ...HOSTILE.map((key): Target => ({ page: "key", view: "page-views", key })),
])("$page $key leads back to itself", (target) => {
  expect(parseRoute(link(target))).toEqual({ params: {}, ...target });
});

describe("an address", () => {
  test("without a hash is the overview", () => {
    for (const hash of ["", "#", "#/"]) expect(parseRoute(hash)).toEqual({ page: "overview", params: {} });
  });

  test("that means nothing is told as such", () => {
    for (const hash of [
      "#/nowhere",
      "#/try/more",
      "#/view",
      "#/view/v/keys/k",
      "#/view/v/key",
      "#/graph/a/b",
    ])
      expect(parseRoute(hash), hash).toMatchObject({ page: "unknown" });
  });

  test("that is not encoded as it should be is taken as it is", () => {
    expect(parseRoute("#/view/v/key/100%")).toMatchObject({ page: "key", key: "100%" });
  });

  test("leaves out parameters that say nothing", () => {
    expect(link({ page: "view", view: "v", params: { prefix: "", top: undefined, limit: 0 } })).toBe(
      "#/view/v?limit=0",
    );
  });

  test("can be written for half a character", () => {
    expect(link({ page: "key", view: "v", key: "\ud83d" })).toBe("#/view/v/key/%EF%BF%BD");
  });
});
