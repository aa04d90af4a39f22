/** Options of `bench`: what the user asked for, checked, and the text that explains it. */
import { parseArgs } from "node:util";
import { UsageError } from "../usage.ts";
import { CONTENDERS, type ContenderName } from "./sources.ts";

export const help = `npm run bench -- [options]

Measures Millrace beside what bounds it and what one would build instead, all in real workerd, and prints tables.

  --quick          a part of the workloads, in less than three minutes
  --only NAME      workloads of this name or beginning, as in --only "500 a request"; may be repeated
  --contenders A,B of ${CONTENDERS.join(", ")} (default all; quick: all but queued)
  --parts A,B      of throughput, latency, cost (default all)
  --rounds N       of each workload (default 3, quick 2)
  --seconds N      of each round (default 4, quick 2)
  --wait N         seconds that queues wait to fill a batch, instead of what the configs say
  --scale          instead: 1k to 1M keys on 1, 4 and 16 shards
  --viewers        instead: none, one and a thousand viewers of a live view under the same load
  --profile        instead: where Millrace's own code spends its time
  --json FILE      also writes the results as data
  -h, --help       this text
`;

export const PARTS = ["throughput", "latency", "cost"] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly contenders: readonly ContenderName[];
  readonly parts: readonly Part[];
  readonly rounds: number;
  readonly seconds: number;
  readonly wait: number | "config";
  readonly scale: boolean;
  readonly viewers: boolean;
  readonly profile: boolean;
  readonly json: string | undefined;
  readonly help: boolean;
}

/** @throws UsageError that names the option. */
export function readOptions(args: readonly string[]): Options {
  const { quick, only, contenders, parts, rounds, seconds, wait, scale, viewers, profile, json, help } =
    parse(args);
  return {
    quick,
    only,
    contenders: some(
      "--contenders",
      contenders,
      quick ? CONTENDERS.filter((name) => name !== "queued") : CONTENDERS,
    ),
    parts: some("--parts", parts, PARTS),
    rounds: amount("--rounds", rounds, quick ? 2 : 3),
    seconds: amount("--seconds", seconds, quick ? 2 : 4),
    wait: wait === undefined ? "config" : amount("--wait", wait, 0),
    scale,
    viewers,
    profile,
    json,
    help,
  };
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  const value = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ quick: flag, scale: flag, viewers: flag, profile: flag },
        ...{
          only: { type: "string", multiple: true, default: [] as string[] },
          contenders: value,
          parts: value,
          rounds: value,
          seconds: value,
          wait: value,
          json: value,
        },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (thrown) {
    throw new UsageError(`${thrown instanceof Error ? thrown.message : thrown}; --help lists the options.`);
  }
}

function some<T extends string>(option: string, text: string | undefined, all: readonly T[]): readonly T[] {
  if (text === undefined) return all;
  return text.split(",").map((word) => {
    const known = all.find((name) => name === word.trim());
    if (known === undefined) throw new UsageError(`${option} ${word}: give some of ${all.join(", ")}.`);
    return known;
  });
}

function amount(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text !== "" && Number.isFinite(value) && value >= 0 && value <= 3600) return value;
  throw new UsageError(`${option} ${text}: give a number from 0 to 3600.`);
}
