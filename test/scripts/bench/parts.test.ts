/** The parts of the bench that decide what its figures mean. */
import { createServer } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { drawer, requestsOf } from "../../../scripts/bench/load/bodies.ts";
import { Connection } from "../../../scripts/bench/load/connection.ts";
import { flood } from "../../../scripts/bench/load/flood.ts";
import { percentiles } from "../../../scripts/bench/load/protocol.ts";
import { readOptions } from "../../../scripts/bench/options.ts";
import { slope } from "../../../scripts/bench/scale/scale.ts";
import { spreadOf } from "../../../scripts/bench/throughput.ts";
import { chosen, workloadOf } from "../../../scripts/bench/workloads.ts";
import { UsageError } from "../../../scripts/usage.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe("figures", () => {
  test("percentiles are by nearest rank, and what never happened sorts last", () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect(percentiles(hundred)).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
    expect(percentiles([1, Number.POSITIVE_INFINITY, 2]).p99).toBe(Number.POSITIVE_INFINITY);
  });

  test("a median of rounds, and how far they lie apart", () => {
    expect(spreadOf([10, 30, 20])).toEqual({ median: 20, spread: 1 });
    expect(spreadOf([10, 20]).median).toBe(15);
  });

  test("the slope of what grows in proportion is 1, of a square 2, of a constant 0", () => {
    const over = (of: (x: number) => number) => slope([1, 10, 100].map((x) => [x, of(x)]));
    expect(over((x) => 3 * x)).toBeCloseTo(1);
    expect(over((x) => x * x)).toBeCloseTo(2);
    expect(over(() => 7)).toBeCloseTo(0);
  });
});

describe("workloads", () => {
  test("the same workload is the same bytes", () => {
    const workload = workloadOf(100, 200);
    const twice = [0, 1].map(() => Buffer.concat(requestsOf(workload, "bench")));
    expect(twice[0]?.equals(twice[1] as Buffer)).toBe(true);
  });

  test("Zipf: the first key comes about twice as often as the second and ten times as often as the tenth", () => {
    const draw = drawer({ keys: 200, spread: "zipf" });
    const seen = new Array<number>(200).fill(0);
    for (let n = 0; n < 200_000; n++) {
      const key = draw();
      seen[key] = (seen[key] ?? 0) + 1;
    }
    expect((seen[0] ?? 0) / (seen[1] ?? 0)).toBeCloseTo(2, 0);
    expect((seen[0] ?? 0) / (seen[9] ?? 0)).toBeGreaterThan(8);
    expect((seen[0] ?? 0) / (seen[9] ?? 0)).toBeLessThan(12);
  });

  test("in turn: each key once before one comes again", () => {
    const draw = drawer({ keys: 3, spread: "in turn" });
    expect([draw(), draw(), draw(), draw()]).toEqual([0, 1, 2, 0]);
  });

  test("all sizes and spreads by default, few of them in a quick run, or those that are named", () => {
    expect(chosen(false, [])).toHaveLength(22);
    expect(chosen(true, [])).toHaveLength(5);
    expect(chosen(false, ["500 a request"])).toHaveLength(6);
    expect(chosen(false, ["1 a request, 200 URLs, 128"]).map(({ connections }) => connections)).toEqual([
      128,
    ]);
    expect(chosen(false, ["500 a request, 200 URLs"]).map(({ spread }) => spread)).toEqual(["uniform"]);
    expect(chosen(false, ["500 a request, one hot"]).map(({ keys }) => keys)).toEqual([1]);
  });
});

describe("the load generator", () => {
  test("counts what got 202, and sends again what got 429", async () => {
    const bodies: string[] = [];
    let refusals = 2;
    const to = await serve((body) => {
      if (refusals-- > 0) return 429;
      bodies.push(body);
      return 202;
    });
    const job = { kind: "flood", to, connections: 1, seconds: 60, from: 0 } as const;
    const workload = workloadOf(2, 10);
    const result = await flood({ ...job, workload, maxEvents: 10 }, requestsOf(workload, "bench"));
    expect(result).toMatchObject({ accepted: 10, requests: 5, refused: 2 });
    expect(bodies.map((body) => JSON.parse(body).length)).toEqual([2, 2, 2, 2, 2]);
    expect(new Set(bodies).size).toBe(5);
  });

  test("fails on any other answer, rather than measure it", async () => {
    const to = await serve(() => 500);
    const workload = workloadOf(1, 10);
    const job = { kind: "flood", to, connections: 1, seconds: 60, from: 0, maxEvents: 1 } as const;
    await expect(flood({ ...job, workload }, requestsOf(workload, "bench"))).rejects.toThrow("500");
  });

  test("an answer may come in pieces", async () => {
    const to = await serve(() => 200, "x".repeat(300_000));
    const connection = await Connection.open(to);
    closers.push(() => connection.close());
    for (let n = 0; n < 2; n++) {
      const answer = await connection.send(Buffer.from("GET / HTTP/1.1\r\nhost: bench\r\n\r\n"));
      expect(answer.status).toBe(200);
      expect(answer.body).toHaveLength(300_000);
    }
  });
});

test("options that make no sense are refused by name", () => {
  expect(() => readOptions(["--parts", "speed"])).toThrow(UsageError);
  expect(() => readOptions(["--rounds", "many"])).toThrow("--rounds many");
  expect(() => readOptions(["--fast"])).toThrow("--fast");
  expect(readOptions(["--quick"])).toMatchObject({ rounds: 2, wait: "config" });
});

async function serve(status: (body: string) => number, answer = "") {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const code = status(body);
      response.writeHead(code, {
        "content-length": answer.length,
        ...(code === 429 && { "retry-after": "0" }),
      });
      response.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const address = server.address();
  return { host: "127.0.0.1", port: typeof address === "object" ? (address?.port ?? 0) : 0 };
}
