import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { queueNamesIn } from "../../../scripts/deploy/account.ts";
import { main } from "../../../scripts/deploy/main.ts";
import { complaint, type WranglerResult } from "../../../scripts/deploy/wrangler.ts";
import { writeConfigs } from "../../../scripts/plan/config-files.ts";
import type { Plan } from "../../../src/index.ts";
import { describePlan } from "../../../src/plan.ts";
import { configFolder, largePlan, planOf } from "../plan/jobs.ts";

const plan = planOf("orders");
const nothing: WranglerResult = { code: 0, stdout: "", output: "" };
const failure = (output: string, stdout = ""): WranglerResult => ({ code: 1, stdout, output });

/** Deploys with a wrangler that answers by the beginning of its command line. */
async function deploy(
  answers: Record<string, WranglerResult>,
  args: string[] = [],
  root = configFolder(),
  env: Record<string, string> = {},
  wanted = plan,
) {
  const commands: string[] = [];
  const lines: string[] = [];
  const place = {
    root,
    load: async () => wanted,
    env,
    print: (line: string) => void lines.push(line),
    wrangler: async (words: readonly string[]) => {
      const command = words.join(" ");
      commands.push(command);
      return Object.entries(answers).find(([start]) => command.startsWith(start))?.[1] ?? nothing;
    },
  };
  const error = await main(args, place).then(
    () => undefined,
    (thrown: Error) => thrown.message,
  );
  return { error, commands, text: lines.join("\n") };
}

function inStep(wanted = plan): string {
  const root = configFolder();
  writeConfigs(root, wanted);
  return root;
}

/** A deployment that tells its plan to who has the key. */
async function startDeployment(running: Plan, key = "secret"): Promise<string> {
  const server = createServer((request, response) => {
    const isKnown = request.headers.authorization === `Bearer ${key}`;
    response.statusCode = request.url !== "/v1/jobs" ? 404 : isKnown ? 200 : 401;
    response.end(JSON.stringify({ jobs: [], plan: describePlan(running, { code: false }) }));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const url = "https://millrace.example.workers.dev";

describe("deploying", () => {
  it("refuses configs that are out of step before it asks wrangler anything", async () => {
    const { error, commands } = await deploy({});
    expect(error).toMatch(/^Nothing was deployed\.\n\nwrangler\.toml is not what the plan asks for/);
    expect(error).toContain("npm run plan -- --write");
    expect(commands).toEqual([]);
  });

  it("says in one sentence that a login is missing", async () => {
    const answers = { whoami: failure('{"loggedIn":false}', '{"loggedIn":false}') };
    const { error, commands } = await deploy(answers, [], inStep());
    expect(error).toMatch(
      /^wrangler is not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.*\)\.$/,
    );
    expect(commands).toEqual(["whoami --json"]);
  });

  it("builds before it changes anything, and ends with the address and what to do next", async () => {
    const deployed = { ...nothing, deployed: { addresses: [url], size: { bytes: 2048, gzipBytes: 512 } } };
    const { error, commands, text } = await deploy(
      { "deploy --config=wrangler.toml": deployed },
      [],
      inStep(),
    );
    expect(error).toBeUndefined();
    expect(commands.map((command) => command.replace(/--outdir=.*/, "…"))).toEqual([
      "whoami --json",
      "queues list --page=1",
      "deploy --config=workers/operator/wrangler.toml --dry-run …",
      "deploy --config=workers/query/wrangler.toml --dry-run …",
      "deploy --config=wrangler.toml --dry-run …",
      "queues create millrace-orders-dead --message-retention-period-secs=1209600",
      "queues create millrace-orders --message-retention-period-secs=1209600",
      "deploy --config=workers/operator/wrangler.toml",
      "deploy --config=workers/query/wrangler.toml",
      "deploy --config=wrangler.toml",
    ]);
    expect(text).toContain("5/5 ingest Worker: deployed, 2.0 KiB (0.5 KiB gzipped)");
    expect(text).toContain(`Deployed: ${url}\n`);
    expect(text).toContain("npx wrangler secret put KEYS");
  });

  it("takes a queue that somebody else created meanwhile, and stops at any other failure", async () => {
    const taken = failure(
      "✘ [ERROR] A request failed.\n\n  Queue name 'x' is already taken. [code: 11009]\n",
    );
    const broken = failure(
      "✘ [ERROR] A request failed.\n\n  No such plan. [code: 1]\n\n🪵  Logs were written to x\n",
    );
    const { error, commands, text } = await deploy(
      { "queues create millrace-orders-dead": taken, "queues create millrace-orders": broken },
      [],
      inStep(),
    );
    expect(text).toContain("1/5 queue millrace-orders-dead: exists");
    expect(error).toMatchInlineSnapshot(`
      "Step 2/5 failed (create the queue millrace-orders, unless it exists): A request failed.
        No such plan. [code: 1]
      The steps before it are done; \`npm run deploy\` goes on from here."
    `);
    expect(commands.at(-1)).toContain("queues create millrace-orders ");
  });

  it("shows every step when it runs dry, and changes nothing", async () => {
    const { error, commands, text } = await deploy({}, ["--dry-run"], inStep());
    expect(error).toBeUndefined();
    expect(commands).toHaveLength(3);
    for (const command of commands) expect(command).toMatch(/^deploy --config=\S+ --dry-run --outdir=/);
    expect(text).toContain(
      "2/5 create the queue millrace-orders, unless it exists\n    wrangler queues create",
    );
  });

  it("names the Worker that does not build", async () => {
    const answers = { "deploy --config=workers/query": failure("✘ [ERROR] Could not resolve x\n") };
    expect((await deploy(answers, ["--dry-run"], inStep())).error).toBe(
      "The query Worker does not build: Could not resolve x",
    );
    const real = await deploy(answers, [], inStep());
    expect(real.commands.filter((command) => command.startsWith("queues create"))).toEqual([]);
  });

  it("names a config that is gone", async () => {
    const root = inStep();
    writeFileSync(path.join(root, "wrangler.toml"), 'name = "mine"\n');
    expect((await deploy({}, [], root)).error).toContain("wrangler.toml has no marker line");
  });
});

describe("what runs", () => {
  it("is not compared with unless one says where, and that is said", async () => {
    const { error, text } = await deploy({}, [], inStep());
    expect(error).toBeUndefined();
    expect(text).toContain(
      "NOT compared with what runs: if there is a deployment already, say --running URL",
    );
  });

  it("may be followed by a plan that adds to it", async () => {
    const running = await startDeployment(planOf("orders"));
    const wanted = planOf("orders", "visits");
    const args = ["--running", running];
    const env = { MILLRACE_KEY: "secret" };
    const { error, text } = await deploy({}, args, inStep(wanted), env, wanted);
    expect(error).toBeUndefined();
    expect(text).toContain(`The plan may follow the one that runs at ${running}:\n`);
    expect(text).toContain("ok      added source visits: ");
    expect(text).not.toContain("REFUSED");
    expect(text).not.toContain("NOT compared");
  });

  it("stops a plan that would lose what is in flight, before anything is deployed or asked", async () => {
    const env = { MILLRACE_URL: await startDeployment(planOf("orders", "visits")), MILLRACE_KEY: "secret" };
    const { error, commands } = await deploy({}, [], inStep(), env);
    expect(error).toMatch(
      /^The plan cannot follow the one that runs \(http:.*\)\.\n\nREFUSED removed source visits: /,
    );
    expect(error).toContain("REFUSED removed aggregate visits-count: messages in flight");
    expect(commands).toEqual([]);
  });

  it("is followed by another generation only if that is meant", async () => {
    const wanted = largePlan({ generation: 2 });
    const env = { MILLRACE_URL: await startDeployment(largePlan()), MILLRACE_KEY: "secret" };
    const refused = await deploy({}, [], inStep(wanted), env, wanted);
    expect(refused.error).toContain("REFUSED moved generation 1 → 2: all state starts anew");
    const meant = await deploy({}, ["--new-generation"], inStep(wanted), env, wanted);
    expect(meant.error).toBeUndefined();
  });

  it("that cannot be asked stops the deployment, with the reason", async () => {
    const running = await startDeployment(plan);
    expect((await deploy({}, ["--running", running], inStep())).error).toMatch(
      /does not tell its plan \(HTTP 401\): set MILLRACE_KEY to a key with the scope "read"\.$/,
    );
    expect((await deploy({}, ["--running", "http://127.0.0.1:9"], inStep())).error).toMatch(
      /^http:\/\/127\.0\.0\.1:9\/v1\/jobs does not answer \(.+\): what runs there is not known\.$/,
    );
  });
});

it("a bucket that is there is as good as a new one", async () => {
  const wanted = largePlan();
  const taken = failure(
    "✘ [ERROR] A request failed.\n\n  The bucket you tried to create already exists, and you own it. [code: 10004]\n",
  );
  const { error, text } = await deploy({ "r2 bucket create": taken }, [], inStep(wanted), {}, wanted);
  expect(error).toBeUndefined();
  expect(text).toContain("bucket late-orders: exists");
  expect(text).toContain("queue billing: created");
});

it("queue names are read by the column's head", () => {
  const text = "┌──┬──┐\n│ id │ jurisdiction │ name │\n├──┼──┤\n│ 1 │ eu │ a-queue │\n│ 2 │ │ b │\n└──┴──┘\n";
  expect(queueNamesIn(text)).toEqual(["a-queue", "b"]);
  expect(queueNamesIn("nothing here")).toEqual([]);
});

it("a complaint has no stack, no advice, and always says something", () => {
  const output =
    "✘ [ERROR] fetch failed\n\n      at undici:1\n  If you think this is a bug, please open an issue\n";
  expect(complaint(failure(output))).toBe("fetch failed");
  expect(complaint(failure(""))).toBe("it ended with exit code 1 and no word");
});
