/** `npm start` as its user meets it: a process of its own, fed by its terminal, TCP and HTTP, stopped and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";

const main = fileURLToPath(new URL("../../scripts/start.ts", import.meta.url));

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly tcpPort: number;
  /** All that it has printed so far. */
  output(): string;
  readonly exit: Promise<number | null>;
}

/** Spawns it on free ports; killed when the test ends. */
function spawnStart(env: Record<string, string>, args: string[] = []) {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, npm_lifecycle_event: undefined, PORT: "0", TCP_PORT: "0", ...env },
    stdio: "pipe",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const exit = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  return { child, exit, output: () => output };
}

async function start(stateDir: string, args: string[] = []): Promise<Started> {
  const started = spawnStart({ STATE_DIR: stateDir }, args);
  const ended = started.exit.then((code) => {
    throw new Error(`it ended with ${code}: ${started.output()}`);
  });
  ended.catch(() => {});
  await Promise.race([shows(started, /TCP +localhost:\d+/), ended]);
  const [, url = ""] = /HTTP +(\S+)/.exec(started.output()) ?? [];
  const [, tcpPort] = /TCP +localhost:(\d+)/.exec(started.output()) ?? [];
  return { ...started, url, tcpPort: Number(tcpPort) };
}

async function shows({ output }: Pick<Started, "output">, text: RegExp | string): Promise<void> {
  await vi.waitFor(() => expect(output()).toMatch(text), { timeout: 30_000, interval: 20 });
}

function stop({ child, exit }: Started, signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
  child.kill(signal);
  return exit;
}

async function countOf({ url }: Started, key: string): Promise<number | undefined> {
  const response = await fetch(`${url}/v1/views/page-views?key=${encodeURIComponent(key)}`);
  return response.ok ? ((await response.json()) as { value: number }).value : undefined;
}

/** Sends it over TCP and closes. */
function send({ tcpPort }: Started, data: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(tcpPort, "127.0.0.1", () => socket.end(data));
    socket
      .on("error", reject)
      .on("close", () => resolve())
      .resume();
  });
}

function stateFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "start-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

test("counts typed lines and TCP lines, and goes on with them after a stop", async () => {
  const folder = stateFolder();
  const first = await start(folder);
  expect(first.output()).toContain(folder);

  first.child.stdin?.write("/home\n");
  await shows(first, "ClickReader --> /home\n");
  await shows(first, "PageViewCounter -->\n  /home: 1\n");

  await send(first, "/home\n/about");
  await shows(first, "  /home: 2\n  /about: 1\n");
  expect(await countOf(first, "/home")).toBe(2);

  // Its end is no reason to stop.
  first.child.stdin?.end();
  await send(first, "/later\n");
  await shows(first, "  /later: 1\n");

  expect(await stop(first)).toBe(0);
  expect(first.output()).toContain("Stopped.");

  const second = await start(folder);
  expect(await countOf(second, "/home")).toBe(2);
  await send(second, "/home\n");
  await shows(second, "  /home: 3\n");
  expect(await stop(second, "SIGTERM")).toBe(0);
});

test("loses nothing that was accepted when it is stopped under load", async () => {
  const folder = stateFolder();
  const first = await start(folder);
  const lines = Array.from({ length: 20_000 }, (_, i) => `/page-${i % 50}\n`).join("");
  await send(first, lines);
  const posted = fetch(`${first.url}/v1/sources/clicks`, { method: "POST", body: '{"url":"/posted"}' });
  expect((await posted).status).toBe(202);
  expect(await stop(first)).toBe(0);

  const second = await start(folder);
  const response = await fetch(`${second.url}/v1/views/page-views?total=1`);
  expect(await response.json()).toMatchObject({ total: 20_001 });
  expect(first.output()).toMatch(/ClickReader --> [\d,]+ clicks\n/);
  expect(first.output().split("\n").length).toBeLessThan(300);
  expect(await stop(second)).toBe(0);
});

test("says why it refuses a line, and survives what no client should send", async () => {
  const started = await start(stateFolder());
  await send(started, Buffer.from([0xff, 0xfe, 0, 1, 10]));
  await shows(started, /ClickReader refused .*: not UTF-8 text/);
  await send(started, `${"x".repeat(3_000_000)}\n/after\n`);
  await shows(started, /ClickReader refused .*: longer than 16384 bytes/);
  await shows(started, "ClickReader --> /after\n");
  await send(started, `{"url":5}\n/${"y".repeat(3_000)}\n`);
  await shows(started, /ClickReader refused "{\\"url\\":5}": url: /);
  await shows(started, /ClickReader refused "\/y+…": key: 3001 bytes long/);
  const socket = connect(started.tcpPort, "127.0.0.1", () => {
    socket.write("/whole\n/cut-o", () => setTimeout(() => socket.resetAndDestroy(), 100));
  });
  await shows(started, "  /whole: 1\n");
  await send(started, "/still-here\n");
  await shows(started, "  /still-here: 1\n");
  expect(await countOf(started, "/cut-o")).toBeUndefined();
  expect(await stop(started)).toBe(0);
});

test("starts again after it was killed", async () => {
  const folder = stateFolder();
  const first = await start(folder);
  await send(first, "/home\n");
  await shows(first, "  /home: 1\n");
  expect(await stop(first, "SIGKILL")).toBeNull();
  const second = await start(folder);
  expect(await countOf(second, "/home")).toBe(1);

  const third = spawnStart({ STATE_DIR: folder });
  expect(await third.exit).toBe(1);
  expect(third.output()).toBe(
    `STATE_DIR: ${folder} is in use by another npm start; stop that one, or set STATE_DIR to another folder.\n`,
  );
  expect(await stop(second)).toBe(0);
});

test("names the variable to change when a port or the folder cannot be used", async () => {
  const taken = createServer();
  const port = await new Promise<string>((resolve) => {
    taken.listen(0, "127.0.0.1", () => resolve(String((taken.address() as { port: number }).port)));
  });
  onTestFinished(() => void taken.close());
  for (const variable of ["PORT", "TCP_PORT"]) {
    const { exit, output } = spawnStart({ STATE_DIR: stateFolder(), [variable]: port });
    expect(await exit).toBe(1);
    expect(output()).toBe(
      `${variable}: port ${port} is taken by another program; set ${variable} to another port, or to 0 for any free one.\n`,
    );
  }

  const file = path.join(stateFolder(), "file");
  writeFileSync(file, "");
  const notAFolder = spawnStart({ STATE_DIR: file });
  expect(await notAFolder.exit).toBe(1);
  expect(notAFolder.output()).toBe(
    `STATE_DIR: ${file} cannot hold the state, since it is a file; set STATE_DIR to another folder.\n`,
  );

  const broken = stateFolder();
  mkdirSync(path.join(broken, "do"));
  writeFileSync(path.join(broken, "do", "shard.sqlite"), "no database ".repeat(1000));
  const damaged = spawnStart({ STATE_DIR: broken });
  expect(await damaged.exit).toBe(1);
  expect(damaged.output()).toMatch(/^STATE_DIR: the state in .* is damaged .*set STATE_DIR to another.*\n$/);
  expect(readdirSync(broken)).not.toContain("running");
});

test("names the jobs and sources that there are", async () => {
  const job = spawnStart({}, ["--job", "nosuch"]);
  expect(await job.exit).toBe(2);
  expect(job.output()).toMatch(/^--job nosuch: there is no such job; there are: clickstream.*\n$/);
  const source = spawnStart({}, ["--source", "nosuch"]);
  expect(await source.exit).toBe(2);
  expect(source.output()).toMatch(/^--source nosuch: there is no such source; there are: clicks.*\n$/);
});
