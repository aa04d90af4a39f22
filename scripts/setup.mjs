/**
 * The set-up that every command runs first: it installs the packages when they are missing or out of step.
 *
 * Plain JavaScript without dependencies, since it must run on the machine's own, older Node, before anything is there.
 * Guarantee: when it returns with 0, `node_modules` is what `package-lock.json` says. A stamp inside `node_modules`
 * holds the lock file's hash and is written last, so an interrupted installation is repeated.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, delimiter, dirname, join, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
const stamp = join(modules, ".millrace-setup");
const lock = join(root, ".millrace", "setup.lock");

/** A holder touches its lock every second; one that did not for this long is gone, whatever its pid says. */
const LOCK_IS_STALE_AFTER_MS = 60_000;
const INSTALLATION_TAKES_AT_MOST_MS = 15 * 60_000;
const NETWORK_ERROR =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|EPROTO|ERR_SOCKET_TIMEOUT|FETCH_ERROR|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN|CERT_[A-Z_]+|E40[137]|E5\d\d)\b/;

class SetupError extends Error {}

/** What the installation depends on: the lock, and the platform that its binaries are for. */
function wantedStamp() {
  const hash = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  return `${hash} ${process.platform}-${process.arch}\n`;
}

function isInStep() {
  try {
    return readFileSync(stamp, "utf8") === wantedStamp();
  } catch {
    return false;
  }
}

function writeStamp() {
  // Renamed into place, so that a stamp is either whole or absent.
  const draft = `${stamp}.${process.pid}`;
  writeFileSync(draft, wantedStamp());
  renameSync(draft, stamp);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function isStale(content) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > LOCK_IS_STALE_AFTER_MS) return true;
  } catch {
    return false;
  }
  // The npm of a killed set-up may still be at work; empty content is a lock in the making.
  const pids = content.split(" ").map(Number).filter(Boolean);
  return pids.length > 0 && !pids.some(isAlive);
}

function tryLock() {
  mkdirSync(join(root, ".millrace"), { recursive: true });
  try {
    writeFileSync(lock, `${process.pid}`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  let content;
  try {
    content = readFileSync(lock, "utf8");
  } catch {
    return false;
  }
  if (!isStale(content)) return false;
  // Two waiters may both find the lock stale: what counts is whose rename moved the stale one.
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (readFileSync(aside, "utf8") !== content) linkSync(aside, lock);
  } catch {
    // Somebody else was faster; the next round sees the outcome.
  }
  rmSync(aside, { force: true });
  return false;
}

async function withLock(work) {
  const deadline = Date.now() + INSTALLATION_TAKES_AT_MOST_MS;
  let told = false;
  while (!tryLock()) {
    if (!told) console.log("Waiting for another set-up of this folder to finish …");
    told = true;
    if (Date.now() > deadline)
      throw new SetupError(`another set-up does not finish; if none runs, delete ${lock}.`);
    await sleep(200);
  }
  const heartbeat = setInterval(() => utimesSync(lock, new Date(), new Date()), 1000);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    rmSync(lock, { force: true });
  }
}

/**
 * How to start npm. Not with the Node in `node_modules/.bin`, which npm scripts find first and which the
 * installation is about to delete.
 */
function npmCommand() {
  const inside = (path) => path.startsWith(modules + sep);
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  const path = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((entry) => !entry.endsWith(join("node_modules", ".bin")))
    .join(delimiter);
  const usable =
    npm && node && basename(npm) === "npm-cli.js" && [npm, node].every((it) => existsSync(it) && !inside(it));
  if (usable) return { command: node, first: [npm], path, shell: false };
  return { command: "npm", first: [], path, shell: process.platform === "win32" };
}

/** The caller's environment without what npm tells its scripts about the command that runs them. */
function npmEnvironment(path) {
  const dropped =
    /^npm_(package|lifecycle)_|^npm_config_(global|dry_run|json|omit|include|only|production|workspaces?|location|loglevel|package_lock_only|install_strategy)$/i;
  const kept = Object.entries(process.env).filter(
    ([name]) => !dropped.test(name) && name.toUpperCase() !== "PATH",
  );
  return { ...Object.fromEntries(kept), PATH: path };
}

function runNpm(args) {
  const { command, first, path, shell } = npmCommand();
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, [...first, ...args], {
      cwd: root,
      env: npmEnvironment(path),
      shell,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (child.pid) writeFileSync(lock, `${process.pid} ${child.pid}`);
    // The lock is held until npm is really gone: it goes on writing for a while after the signal.
    const stop = (signal) => {
      child.kill(signal);
      setTimeout(() => child.kill("SIGKILL"), 3000);
      child.once("close", () => {
        rmSync(lock, { force: true });
        process.exit(130);
      });
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, stop);
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) =>
      resolve({ code: 127, output: `npm could not be started: ${error.message}` }),
    );
    child.on("close", (code) => resolve({ code, output }));
  });
}

function explain(output) {
  const network = NETWORK_ERROR.exec(output);
  if (network) {
    return `the packages could not be installed, since the npm registry did not answer (${network[1]}); check the network and run the command again.`;
  }
  if (/\bEUSAGE\b/.test(output)) {
    return "package.json and package-lock.json disagree; run `npm install` and commit both.";
  }
  if (/\bENOSPC\b/.test(output)) return "the packages could not be installed, since the disk is full.";
  const lines = output.split("\n").map((line) => line.replace(/^npm (error|ERR!)\s*/, "").trim());
  const reason = lines.find((line) => line !== "" && !/^code |^errno |^syscall |^path /.test(line));
  return `the packages could not be installed: ${reason ?? "npm ci failed without a word"} (\`npm ci\` shows more).`;
}

/** npm stumbles over what an interrupted npm left behind, so the folder goes as a whole before npm starts. */
function clearModules() {
  const folder = dirname(lock);
  const old = `${basename(modules)}.`;
  try {
    rmSync(stamp, { force: true });
    if (existsSync(modules)) renameSync(modules, join(folder, `${old}${process.pid}`));
    for (const name of readdirSync(folder).filter((entry) => entry.startsWith(old))) {
      rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
    }
  } catch {
    // A file that is in use (on Windows, the running Node) stays; `npm ci` itself then says what is wrong.
  }
}

async function install() {
  if (isInStep()) return;
  console.log("Installing the packages (once, about a minute) …");
  clearModules();
  const { code, output } = await runNpm([
    "ci",
    "--include=dev",
    "--include=optional",
    "--prefer-offline",
    "--loglevel=error",
    "--no-progress",
    "--fetch-retries=3",
    "--fetch-retry-factor=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
  ]);
  if (code !== 0) throw new SetupError(explain(output));
  const node = spawnSync(join(modules, ".bin", "node"), ["--version"], {
    shell: process.platform === "win32",
  });
  if (node.status !== 0) {
    rmSync(stamp, { force: true });
    throw new SetupError(
      "the project's own Node is missing, since an install script did not run; check that npm's `ignore-scripts` is off.",
    );
  }
  writeStamp();
}

try {
  // `npm install` and `npm ci` by hand end in this call, so that they need no second installation.
  if (process.argv.includes("--stamp")) writeStamp();
  else if (!isInStep()) await withLock(install);
} catch (error) {
  if (error instanceof SetupError) console.error(`Set-up: ${error.message}`);
  else console.error(`Set-up: ${error.message ?? error}`);
  process.exitCode = 1;
}
