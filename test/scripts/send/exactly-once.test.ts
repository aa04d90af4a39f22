import { existsSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { accessLog, run, seeded, start, temporaryFolder } from "./command.ts";
import { FakeServer } from "./fake-server.ts";

const servers: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(random?: () => number): Promise<FakeServer> {
  const server = new FakeServer(random);
  await server.listen();
  servers.push(server);
  return server;
}

function sorted(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Unfinished sends that are kept. */
function journals(folder: string): string[] {
  const kept = path.join(folder, ".millrace/send");
  return existsSync(kept) ? readdirSync(kept) : [];
}

describe("a send counts each event once", { timeout: 60_000 }, () => {
  it("over a server that loses answers, drops connections and refuses", async () => {
    const folder = temporaryFolder();
    const server = await serve(seeded(1));
    server.faults = { loseAnswer: 0.15, drop: 0.1, tooMany: 0.02, unavailable: 0.1 };
    const { text, counts } = accessLog(1_500, 50, seeded(2));
    writeFileSync(path.join(folder, "access.log"), text);

    const { code, stdout } = await run(folder, ["access.log", "--url", server.url, "--batch", "25"]);

    expect(stdout).toMatch(
      /^1,500 events applied by http:\/\/127.0.0.1:\d+ \(source clicks\): 60 requests, \d+ retries/,
    );
    expect(code).toBe(0);
    expect(sorted(server.views)).toEqual(sorted(counts));
    expect(server.violations).toEqual([]);
    expect(journals(folder)).toEqual([]);
  });

  it("over a server that is killed with a full queue", async () => {
    const folder = temporaryFolder();
    const server = await serve();
    server.consumes = false;
    const { text, counts } = accessLog(500, 20);
    writeFileSync(path.join(folder, "access.log"), text);

    const args = ["access.log", "--url", server.url, "--batch", "10", "--resend-after", "0.5"];
    const { outcome } = start(folder, args);
    while (server.seen.filter(({ method }) => method === "POST").length < 50) await sleep(10);
    await server.crash(300);
    server.consumes = true;

    const { code } = await outcome;
    expect(code).toBe(0);
    expect(sorted(server.views)).toEqual(sorted(counts));
    expect(server.violations).toEqual([]);
  });

  it("when both are killed after everything was accepted and before anything was applied", async () => {
    const folder = temporaryFolder();
    const server = await serve();
    server.consumes = false;
    const { text, counts } = accessLog(200, 20);
    writeFileSync(path.join(folder, "access.log"), text);
    const args = ["access.log", "--url", server.url, "--batch", "10", "--resend-after", "0.5"];
    const { child, outcome } = start(folder, args);
    const asks = () => server.seen.filter(({ method }) => method === "GET").length;
    while (server.seen.length - asks() < 20 || asks() < 40) await sleep(10);
    child.kill("SIGKILL");
    expect((await outcome).code).toBe(null);
    await server.crash(0);
    server.consumes = true;

    expect((await run(folder, [...args, "--resume"])).code).toBe(0);
    expect(sorted(server.views)).toEqual(sorted(counts));
    expect(server.producers.size).toBe(1);
    expect(server.violations).toEqual([]);
  });

  it.each([
    { seed: 11, name: "access.log" },
    { seed: 12, name: "access.log.gz" },
  ])("while both sides are killed again and again (seed $seed, $name)", async ({ seed, name }) => {
    const random = seeded(seed);
    const folder = temporaryFolder();
    const server = await serve(random);
    server.faults = { loseAnswer: 0.1, drop: 0.05, tooMany: 0, unavailable: 0.05 };
    server.delay = 15;
    const { text, counts } = accessLog(4_500, 200, random);
    writeFileSync(path.join(folder, name), name.endsWith(".gz") ? gzipSync(text) : text);
    const args = [name, "--url", server.url, "--batch", "15", "--resend-after", "0.3"];

    let kills = 0;
    let resumed = 0;
    for (;;) {
      const before = server.seen.length;
      const { child, outcome } = start(folder, args);
      // Enough kills are enough: the last run may end. On a busy machine it takes its time to start, and to kill it
      // before it has sent anything shows nothing.
      let killer: NodeJS.Timeout | undefined;
      const kill = (after: number) => {
        killer = setTimeout(() => {
          if (server.seen.length > before || random() < 0.1) child.kill("SIGKILL");
          else kill(50);
        }, after);
      };
      if (kills < 8) kill(100 + random() * 700);
      if (random() < 0.4)
        await Promise.all([outcome, sleep(random() * 500).then(() => server.crash(random() * 200))]);
      const { code, stderr } = await outcome;
      clearTimeout(killer);
      if (stderr.includes("Resuming")) resumed++;
      if (code !== null) {
        expect(stderr).not.toContain("send failed");
        expect(code).toBe(0);
        break;
      }
      kills++;
    }

    expect(kills).toBeGreaterThan(2);
    expect(resumed).toBeGreaterThan(0);
    expect(server.producers.size).toBe(1);
    expect(server.violations).toEqual([]);
    expect(sorted(server.views)).toEqual(sorted(counts));
    expect(journals(folder)).toEqual([]);
  });

  it("and the window keeps the numbers near the oldest one not applied", async () => {
    const folder = temporaryFolder();
    const server = await serve();
    const { text, counts } = accessLog(700, 20);
    writeFileSync(path.join(folder, "access.log"), text);
    // The first request is never taken until the others have got as far as they may.
    let held = true;
    server.override = ({ headers }, response) => {
      if (headers["millrace-sequence"] !== "0" || !held) return false;
      response.writeHead(503, { "Retry-After": "0" }).end();
      return true;
    };
    const { outcome } = start(folder, [
      "access.log",
      "--url",
      server.url,
      "--batch",
      "1",
      "--concurrency",
      "16",
    ]);
    const highest = () =>
      Math.max(0, ...server.seen.map(({ headers }) => Number(headers["millrace-sequence"] ?? 0)));
    // The command takes a while to start; from then on it goes as far as it may.
    while (highest() === 0) await sleep(100);
    for (let before = -1; before < highest(); ) {
      before = highest();
      await sleep(500);
    }
    expect(highest()).toBeGreaterThan(100);
    expect(highest()).toBeLessThan(1_000);
    held = false;

    expect((await outcome).code).toBe(0);
    expect(server.violations).toEqual([]);
    expect(sorted(server.views)).toEqual(sorted(counts));
  });

  it("and sending the same file again, after it was finished, counts it again", async () => {
    const folder = temporaryFolder();
    const server = await serve();
    writeFileSync(path.join(folder, "urls.txt"), "/a\n/b\n");
    for (let i = 0; i < 2; i++) expect((await run(folder, ["urls.txt", "--url", server.url])).code).toBe(0);
    expect(sorted(server.views)).toEqual([
      ["/a", 2],
      ["/b", 2],
    ]);
    expect(server.producers.size).toBe(2);
  });
});
