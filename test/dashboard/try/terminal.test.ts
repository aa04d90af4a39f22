/** Terminal: lines that are typed and pasted, recalled, sent in order and sent again. */
import { expect, it } from "vitest";
import { ApiProblem } from "../../../workers/dashboard/api/problem.ts";
import type { Ports } from "../../../workers/dashboard/try/terminal/follow.ts";
import { keysOf, linesOf } from "../../../workers/dashboard/try/terminal/line.ts";
import { Recall } from "../../../workers/dashboard/try/terminal/recall.ts";
import { Session } from "../../../workers/dashboard/try/terminal/session.ts";

it.each([
  ["/home", ["/home"]],
  ["  /home ", ["/home"]],
  ["", []],
  ['{"url": "/a", "n": 5, "deep": {"url": "/b"}}', ["/a", "5"]],
  ['{"a": "x", "b": "x"}', ["x"]],
  ["{not json", ["{not json"]],
  ["5", ["5"]],
])("looks for the line %j under %j", (text, keys) => {
  expect(keysOf(text)).toEqual(keys);
});

it("takes a pasted text apart, however its lines end, and not without end", () => {
  expect(linesOf("/a\r\n/b\n\n  \n/c\r/d")).toEqual({ lines: ["/a", "/b", "/c", "/d"], left: 0 });
  const many = linesOf(Array.from({ length: 250 }, (_, n) => `/${n}`).join("\n"));
  expect([many.lines.length, many.left]).toEqual([200, 50]);
});

it("brings back what was typed, and at the end what is being typed", () => {
  const recall = new Recall();
  expect(recall.earlier("draft")).toBe("draft");
  recall.add("/a");
  recall.add("/b");
  recall.add("/b");
  expect(recall.earlier("draft")).toBe("/b");
  expect(recall.earlier("/b")).toBe("/a");
  expect(recall.earlier("/a")).toBe("/a");
  expect(recall.later("/a")).toBe("/b");
  expect(recall.later("/b")).toBe("draft");
  expect(recall.later("other draft")).toBe("other draft");
});

const source = { name: "clicks", job: "shop", views: [] };

function portsOf(post: Ports["post"]): Ports {
  return {
    post,
    ticket: async (ticket) => ({ ticket, source: "clicks", state: "applied", operators: [] }),
    value: async () => undefined,
    now: () => 0,
    wait: async () => undefined,
  };
}

it("sends lines one after the other, in the order in which they were typed", async () => {
  const gates: (() => void)[] = [];
  const texts: string[] = [];
  const session = new Session(
    portsOf(async (_source, text) => {
      texts.push(text);
      await new Promise<void>((resolve) => gates.push(resolve));
      return { body: { accepted: 1, rejected: [], ticket: text }, ms: 1 };
    }),
  );
  session.send(["/a", "/b"], source);
  const steps = () => session.lines.value.map(({ state }) => state.step);
  await expect.poll(steps).toEqual(["sent", "waiting"]);
  expect(texts).toEqual(["/a"]);
  gates[0]?.();
  await expect.poll(steps).toEqual(["accepted", "sent"]);
  gates[1]?.();
  await expect.poll(steps).toEqual(["accepted", "accepted"]);
  expect(texts).toEqual(["/a", "/b"]);
});

it("sends a line again under the identity that it had, so that it counts once", async () => {
  const ids: string[] = [];
  const session = new Session(
    portsOf(async (_source, text, id) => {
      ids.push(id);
      if (ids.length === 1) throw new ApiProblem(0, "offline");
      return { body: { accepted: 1, rejected: [], ticket: text }, ms: 1 };
    }),
  );
  session.send(["/a"], source);
  const state = () => session.lines.value[0]?.state;
  await expect.poll(state).toEqual({ step: "unanswered", reason: "offline" });
  session.again(session.lines.value[0]?.id ?? "", source);
  await expect.poll(state).toMatchObject({ step: "accepted", end: "applied" });
  expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(ids).toEqual([ids[0], ids[0]]);
});
