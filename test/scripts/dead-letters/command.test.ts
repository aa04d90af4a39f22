/** The `dead-letters` command against the real query app, and against servers that answer otherwise. */
import { execFile } from "node:child_process";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { main } from "../../../scripts/dead-letters/main.ts";
import { readOptions } from "../../../scripts/dead-letters/options.ts";
import { Deployment, illness } from "../../query/deployment.ts";
import type { Handler } from "./server.ts";
import { serve } from "./server.ts";

let deployment: Deployment;
const requests: string[] = [];

beforeEach(async () => {
  illness.cured = false;
  requests.length = 0;
  deployment = new Deployment();
  for (let n = 0; n < 3; n++) await deployment.send("clicks", ["poison"]);
  await deployment.apply("clicks");
  deployment.bury(`line one\nline \u001b[31mtwo\u202e`);
  deployment.bury("{}", false);
});

const app: Handler = async (request) => {
  const { pathname, search } = new URL(request.url);
  requests.push(`${request.method} ${pathname}${search}`);
  return deployment.app.request(request, undefined, deployment.environment({ KEYS: '{"boss":["admin"]}' }));
};

/** Runs the command in this process. @returns what it prints. */
async function run(args: readonly string[], handle: Handler = app): Promise<string> {
  const url = await serve(handle);
  const printed: string[] = [];
  const env = { MILLRACE_URL: url, MILLRACE_KEY: "boss" };
  expect(await main(args, env, (text) => printed.push(text))).toBe(0);
  return printed.join("");
}

describe("list", () => {
  it("gives a line for each, with its id and why, and the counts", async () => {
    const lines = (await run([])).split("\n");
    expect(lines[0]).toMatch(/^id +when +events +operator or queue +error$/);
    expect(lines[1]).toMatch(/^texts\/[01]\/1 +2026-01-31T12:00:00.000Z +1 +texts +cannot merge poison$/);
    expect(lines[4]).toMatch(/^messages\/1 +2026-01-31T12:00:00.000Z +millrace-clicks +broken$/);
    expect(lines[5]).toMatch(/ broken \(cannot be sent again\)$/);
    expect(lines.slice(6)).toEqual(["", "3 events in dead letters, 2 buried messages.", ""]);
  });

  it("says when there are more than it shows", async () => {
    expect(await run(["list", "--limit", "2"])).toContain("These are the first 2: --limit N or --all");
    expect(await run(["list", "--limit", "5"])).not.toContain("These are the first");
    const data = JSON.parse(await run(["--limit", "2", "--json"]));
    expect(data).toMatchObject({ events: 3, messages: 2, more: true });
    expect(data.entries).toHaveLength(2);
  });

  it("goes through all pages", async () => {
    for (let n = 0; n < 250; n++) await deployment.send("clicks", ["poison"]);
    await deployment.apply("clicks");
    const { entries, more } = JSON.parse(await run(["list", "--all", "--json"]));
    expect(entries.map(({ id }: { id: string }) => id)).toEqual([
      ...Array.from({ length: 253 }, (_, n) => expect.stringMatching(new RegExp(`^texts/[01]/${n + 1}$`))),
      "messages/1",
      "messages/2",
    ]);
    expect(more).toBeUndefined();
    expect(requests).toHaveLength(3);
    expect(JSON.parse(await run(["--limit", "101", "--json"])).entries).toHaveLength(101);
  });

  it("says that there are none", async () => {
    deployment = new Deployment();
    expect(await run([])).toBe("There are no dead letters.\n");
  });
});

describe("show", () => {
  const first = async () => JSON.parse(await run(["--limit", "1", "--json"])).entries[0].id as string;

  it("gives all that is known of an event", async () => {
    const id = await first();
    const text = await run(["show", id]);
    expect(text).toMatch(new RegExp(`^event +${id}\nfailed +2026-.*\nfrom +clicks\noperator +texts\n`));
    const json = JSON.parse(text.slice(text.indexOf("\n{")));
    expect(json).toEqual({ record: { key: "poison", partial: { n: 1, poison: true } } });
    expect(JSON.parse(await run(["show", id, "--json"]))).toMatchObject({ id, kind: "event", ...json });
  });

  it("gives a message with its body, without what a terminal would act on", async () => {
    const text = await run(["show", "messages/1"]);
    expect(text).toContain("\n\nline one\nline ·[31mtwo·\n");
    const { body } = JSON.parse(await run(["show", "messages/1", "--json"]));
    expect(body).toContain("\u001b");
  });

  it("says that there is no such letter", async () => {
    await expect(run(["show", "texts/0/999"])).rejects.toThrow(
      "The server answered 404: no dead letter texts/0/999; it may have been redriven already.",
    );
  });
});

describe("redrive", () => {
  it("sends those again that are named, each once", async () => {
    illness.cured = true;
    const { entries } = JSON.parse(await run(["--json"]));
    const ids = entries.slice(0, 2).map(({ id }: { id: string }) => id);
    expect(await run(["redrive", ...ids, ids[0]])).toBe(
      "2 dead letters sent again. What fails again will be listed again.\n",
    );
    await deployment.apply("clicks");
    expect(JSON.parse(await run(["--json"]))).toMatchObject({ events: 1, messages: 2 });
  });

  it("sends all again, in as many requests as it takes, and not for ever what fails again", async () => {
    for (let n = 0; n < 1100; n++) await deployment.send("clicks", ["poison"]);
    await deployment.apply("clicks");
    const answer = await run(["redrive", "--all", "--json"], async (request) => {
      const response = await app(request);
      // Whatever was sent again has failed again before the next request.
      deployment.clock.advance(1000);
      await deployment.apply("clicks");
      return response;
    });
    expect(JSON.parse(answer)).toEqual({ redriven: 1104 });
    expect(requests).toHaveLength(2);
    expect(JSON.parse(await run(["--json"]))).toMatchObject({ events: 1103, messages: 1 });
    illness.cured = true;
    await run(["redrive", "--all"]);
    await deployment.apply("clicks");
    expect(await run(["redrive", "--all"])).toBe("There was nothing to send again.\n");
  });

  it("sends many ids in several requests, and says how far it came", async () => {
    const bodies: string[][] = [];
    const ids = Array.from({ length: 230 }, (_, n) => `texts/0/${n + 1}`);
    const handle: Handler = async (request) => {
      const { ids } = (await request.json()) as { ids: string[] };
      bodies.push(ids);
      if (bodies.length === 3)
        return Response.json({ detail: "operator texts, shard 0: down; try again" }, { status: 503 });
      return Response.json({ redriven: ids.length });
    };
    await expect(run(["redrive", ...ids], handle)).rejects.toThrow(
      "The server answered 503: operator texts, shard 0: down; try again. The same command can be repeated. Sent again before that: 200.",
    );
    expect(bodies.flat()).toEqual(ids);
    expect(bodies.map(({ length }) => length)).toEqual([100, 100, 30]);
  });
});

describe("options", () => {
  it.each([
    [["what"], "what: use list, show or redrive"],
    [["list", "texts/0/1"], "did you mean show texts/0/1?"],
    [["list", "--limit", "0"], "--limit 0: give a whole number"],
    [["list", "--limit", "5", "--all"], "--all and --limit exclude each other"],
    [["show"], "show takes one id"],
    [["show", "texts/0/1", "texts/0/2"], "show takes one id"],
    [["show", "texts/0"], "texts/0: no id of a dead letter"],
    [["redrive"], "redrive takes the ids of dead letters, as list gives them, or --all"],
    [["redrive", "texts/0/1", "--all"], "or --all"],
    [["redrive", "--all", "--limit", "5"], "exclude each other"],
    [["redrive", "texts/0/1", "--limit", "5"], "--limit belongs to list"],
    [["--url", "ftp://x"], "--url ftp://x: give an address"],
    [["--url", "http://x/?key=1"], "--url takes only an origin"],
    [["--what"], "Unknown option '--what'"],
  ])("refuses %j", (args, message) => {
    expect(() => readOptions(args, {})).toThrow(message);
  });

  it("takes the server and the key from the environment, like send", () => {
    expect(readOptions([], {})).toMatchObject({ server: "http://localhost:8787", key: undefined });
    expect(readOptions([], { PORT: "9000" }).server).toBe("http://localhost:9000");
    const env = { MILLRACE_URL: "https://mill.example/at/", MILLRACE_KEY: "a" };
    expect(readOptions([], env)).toMatchObject({ server: "https://mill.example/at", key: "a" });
    expect(readOptions(["--url", "https://b", "--key", "c"], env)).toMatchObject({
      server: "https://b",
      key: "c",
    });
  });
});

describe("a server that does not give what it should", () => {
  it("is told from one that is away", async () => {
    const html: Handler = () => new Response("<html>");
    await expect(run([], html)).rejects.toThrow("an answer that is not one of Millrace's: check --url");
    const env = { MILLRACE_URL: "http://127.0.0.1:1" };
    await expect(main([], env)).rejects.toThrow(/does not answer \(.*\)\. Start it/);
  });

  it("may want another key", async () => {
    const url = await serve(app);
    await expect(main(["--url", url, "--key", "nobody"], {})).rejects.toThrow(
      /^The server answered 401: .*Give a key with the scope admin, with --key or MILLRACE_KEY\.$/,
    );
  });
});

describe("the command", { timeout: 30_000 }, () => {
  const script = path.join(import.meta.dirname, "../../../scripts/dead-letters.ts");
  const command = (...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
      execFile(process.execPath, [script, ...args], (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      ),
    );

  it("prints to where a user looks, and exits as it says", async () => {
    const url = await serve(app);
    const listed = await command("--url", url, "--key", "boss");
    expect(listed).toMatchObject({ code: 0, stderr: "" });
    expect(listed.stdout).toContain("3 events in dead letters");
    expect(await command("show", "texts/0/999", "--url", url, "--key", "boss")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^The server answered 404: .*\n$/),
    });
    expect(await command("--what")).toMatchObject({ code: 2, stdout: "" });
    const help = await command("--help");
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("redrive --all");
  });
});
