import { appendFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accessLog, run, start, temporaryFolder } from "./command.ts";
import { FakeServer } from "./fake-server.ts";

let server: FakeServer;
let folder: string;
beforeEach(async () => {
  server = new FakeServer();
  await server.listen();
});
afterEach(() => server.close());

/** Runs the command on a file with this text. */
function send(text: string, ...options: string[]) {
  folder = temporaryFolder();
  writeFileSync(path.join(folder, "in.log"), text);
  return run(folder, ["in.log", "--url", server.url, ...options]);
}

/** Answers each ingest request with this. */
function always(status: number, body: object, headers: Record<string, string> = {}): void {
  server.override = ({ method }, response) => {
    if (method !== "POST") return false;
    response.writeHead(status, headers).end(JSON.stringify(body));
    return true;
  };
}

describe("the command", { timeout: 20_000 }, () => {
  it("names the file and line of what is rejected, here or there", async () => {
    const text = `/1\nwhat\n\n/bad-one\n${"oops\n".repeat(30)}/2\n`;
    const { code, stdout, stderr } = await send(text, "--batch", "2");
    expect(stdout).toContain("2 events applied");
    expect(stdout).toContain("32 rejected:\n  in.log:2: not an access log line");
    expect(stdout).toContain("\n  in.log:4: url: bad\n");
    expect(stdout).toContain("\n  and 12 more\n");
    expect(stderr).toBe("");
    expect(code).toBe(0);
    // Several requests are in flight, so the server may see the second first.
    expect(Object.fromEntries(server.views)).toEqual({ "/1": 1, "/2": 1 });
  });

  it("settles a request of which nothing was accepted", async () => {
    const { code, stdout } = await send("/bad-1\n/bad-2\n/3\n", "--batch", "2");
    expect(stdout).toContain("1 event applied");
    expect(stdout).toContain("2 rejected:\n  in.log:1: url: bad\n  in.log:2: url: bad\n");
    expect(code).toBe(0);
  });

  it("exits with 1 for a reject when it is strict", async () => {
    expect((await send("/1\nwhat\n", "--strict")).code).toBe(1);
    expect([...server.views]).toEqual([["/1", 1]]);
  });

  it("sends standard input, and says that it cannot be resumed", async () => {
    folder = temporaryFolder();
    const piped = await run(folder, ["--url", server.url, "--batch", "1"], "/1\n/2\n/2");
    expect(piped.stdout).toContain("3 events applied");
    expect(Object.fromEntries(server.views)).toEqual({ "/1": 1, "/2": 2 });
    const resumed = await run(folder, ["--url", server.url, "--resume"], "/1\n");
    expect(resumed).toMatchObject({
      code: 1,
      stderr: "A pipe cannot be read again, so there is nothing to resume.\n",
    });
    always(401, { detail: "No key." });
    const refused = await run(folder, ["--url", server.url], "/1\n");
    expect(refused.stderr).toContain("cannot be resumed");
  });

  it("can be interrupted while it waits for its pipe", async () => {
    const { child, outcome } = start(
      temporaryFolder(),
      ["--url", server.url, "--batch", "1"],
      "/1\n/2\n",
      true,
    );
    while (!server.views.has("/1")) await sleep(10);
    child.kill("SIGINT");
    const { code, stderr } = await outcome;
    expect(stderr).toMatch(/^Stopped. Standard input cannot be resumed/);
    expect(code).toBe(130);
  });

  it("sends what the contract asks for", async () => {
    await send("/1\n/2\n/3\n", "--batch", "2", "--key", "secret", "--source", "a b", "--replay");
    const posts = server.seen.filter(({ method }) => method === "POST");
    expect(posts.map(({ path, body }) => [path, body])).toEqual([
      ["/v1/sources/a%20b", '{"url":"/1"}\n{"url":"/2"}'],
      ["/v1/sources/a%20b", '{"url":"/3"}'],
    ]);
    expect(posts.map(({ headers }) => [headers["millrace-sequence"], headers["millrace-end"]])).toEqual([
      ["0", undefined],
      ["1", "1"],
    ]);
    for (const { headers } of server.seen) expect(headers.authorization).toBe("Bearer secret");
    for (const { headers } of posts) {
      expect(headers).toMatchObject({ "content-encoding": "gzip", "content-type": "application/x-ndjson" });
      expect(headers["millrace-producer"]).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it.each([
    [401, { detail: "No key." }, "the server answered 401: No key. Give a key with --key or MILLRACE_KEY."],
    [404, { detail: 'No source "clicks".' }, 'the server answered 404: No source "clicks".'],
    [409, { detail: "Too far ahead." }, "the server answered 409: Too far ahead."],
    [422, { detail: "Another body." }, "the server answered 422: Another body."],
    [
      413,
      { detail: "Over 128 KB." },
      "the server answered 413: Over 128 KB. Send smaller requests: --fresh --batch N",
    ],
    [400, { detail: "Bad header." }, "the server answered 400: Bad header."],
    [302, {}, "The server answered 302, a redirect: name the final address with --url."],
    [200, { hello: "world" }, "The server answered 200 instead of 202: check --url."],
    [202, { accepted: 1 }, "The server gave no ticket, so nothing can be confirmed."],
  ])("stops at %i with one sentence", async (status, body, sentence) => {
    always(status, body);
    const { code, stderr } = await send("/1\n");
    expect(stderr.startsWith(sentence)).toBe(true);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
  });

  it("sends a request of a replay again that came before the one ahead of it", async () => {
    let missing = true;
    server.override = ({ method, headers }, response) => {
      if (method !== "POST") return false;
      if (headers["millrace-sequence"] === "0") {
        const early = server.seen.some((other) => other.headers["millrace-sequence"] === "1");
        if (early) missing = false;
        else response.writeHead(503, { "Retry-After": "0" }).end();
        return !early;
      }
      if (missing) response.writeHead(409, { "Retry-After": "0" }).end('{"detail":"Early.","missing":0}');
      return missing;
    };
    const { code, stderr } = await send("/1\n/2\n/3\n", "--batch", "1", "--replay");
    expect(code).toBe(0);
    expect(stderr).toContain("409: Early; trying again.");
    expect([...server.views.keys()].sort()).toEqual(["/1", "/2", "/3"]);
  });

  it("waits as long as the server asks", async () => {
    let asked = 0;
    server.override = ({ method }, response) => {
      if (method !== "POST" || asked++ > 0) return false;
      response.writeHead(429, { "Retry-After": "1" }).end('{"detail":"The backlog is full."}');
      return true;
    };
    const started = Date.now();
    const { code, stderr } = await send("/1\n");
    expect(Date.now() - started).toBeGreaterThan(1_000);
    expect(stderr).toContain("429: The backlog is full; trying again.");
    expect(code).toBe(0);
  });

  it("gives up on a server that is away, and says how to go on", async () => {
    await server.close();
    const { code, stderr } = await send("/1\n", "--patience", "0.5");
    expect(stderr).toMatch(/has not answered for \d+ s \(connect ECONNREFUSED/);
    expect(stderr).toContain("The same command goes on where this one ended.");
    expect(code).toBe(1);
  });

  it("ends in order when it is interrupted, and refuses a changed file after that", async () => {
    folder = temporaryFolder();
    const file = path.join(folder, "in.log");
    writeFileSync(file, accessLog(2_000, 9).text);
    server.delay = 20;
    const args = ["in.log", "--url", server.url, "--batch", "10"];
    const { child, outcome } = start(folder, args);
    while (server.seen.length < 20) await sleep(10);
    child.kill("SIGINT");
    expect(await outcome).toMatchObject({
      code: 130,
      stderr: "Stopped. The same command goes on where this one ended.\n",
    });

    appendFileSync(file, "/more\n");
    const { code, stderr } = await run(folder, args);
    expect(stderr).toMatch(/in.log has changed since. Use --fresh/);
    expect(code).toBe(1);
    server.delay = 0;
    expect((await run(folder, [...args, "--fresh"])).stdout).toContain("2,001 events applied");
    expect((await run(folder, [...args, "--resume"])).stderr).toContain("There is nothing to resume");
  });

  it.each([
    [["--batch", "0", "x"], "--batch 0: give a whole number from 1 to 10000."],
    [["--format", "xml", "x"], "--format xml: use one of auto, log, ndjson, urls."],
    [["--fresh", "--resume", "x"], "--fresh and --resume exclude each other."],
    [["--url", "example", "x"], "--url example: give an address such as https://example.com."],
    [["--nonsense"], "Unknown option '--nonsense'"],
  ])("explains wrong use: %j", async (args, sentence) => {
    const { code, stderr } = await run(temporaryFolder(), args);
    expect(stderr).toContain(sentence);
    expect(code).toBe(2);
  });

  it("explains what cannot be read", async () => {
    folder = temporaryFolder();
    writeFileSync(path.join(folder, "broken.gz"), "not gzip");
    const [missing, directory, broken] = await Promise.all(
      ["missing.log", ".", "broken.gz"].map((name) => run(folder, [name, "--url", server.url])),
    );
    expect(missing).toMatchObject({ code: 1, stderr: "missing.log: no such file.\n" });
    expect(directory).toMatchObject({
      code: 1,
      stderr: ". is a folder: name the files in it.\n",
    });
    expect(broken?.stderr).toContain("broken.gz is not a whole gzip file: incorrect header check.");
  });

  it("has a help text", async () => {
    expect(await run(temporaryFolder(), ["--help"])).toMatchObject({ code: 0, stderr: "" });
  });
});
