/** Fixed specs: graphs that every run must meet, whatever is drawn besides. */
import type { Fault } from "./semantics.ts";
import { ODD } from "./semantics.ts";
import type {
  AggregateSpec,
  Input,
  JobSpec,
  NodeSpec,
  ProcessSpec,
  SinkSpec,
  StageSpec,
  WindowSpec,
} from "./spec.ts";
import { LATE } from "./spec.ts";

const from = (name: string, output?: string): Input =>
  output === undefined ? { from: name } : { from: name, output };
const mendable: Fault = { oneIn: 7, forGood: false };
const forGood: Fault = { oneIn: 9, forGood: true };

const source = (name: string): NodeSpec => ({ kind: "source", name });

function aggregate(name: string, fn: AggregateSpec["fn"], input: Input, more: Partial<AggregateSpec> = {}) {
  return { kind: "aggregate", name, fn, input, groups: 5, shards: 2, ...more } as const;
}

function process(name: string, fn: ProcessSpec["fn"], input: Input, more: Partial<ProcessSpec> = {}) {
  return { kind: "process", name, fn, input, groups: 4, shards: 2, delay: 5_000, ...more } as const;
}

function stage(name: string, input: Input, more: Partial<StageSpec> = {}) {
  return { kind: "stage", name, input, shards: 1, concurrency: 2, ...more } as const;
}

function sink(name: string, input: Input, more: Partial<SinkSpec> = {}) {
  const batches = { batchEvents: 4, batchMs: 5_000, bufferBytes: 3_000, hourly: false, refuses: false };
  return { kind: "sink", name, input, keyed: false, groups: 3, shards: 1, ...batches, ...more } as const;
}

function windows(name: string, fn: WindowSpec["fn"], input: Input, more: Partial<WindowSpec> = {}) {
  const spans = { size: 20_000, slide: 8_000, lateness: 0, discarding: false } as const;
  return { kind: "window", name, fn, input, groups: 4, shards: 2, keeps: "ids", ...spans, ...more } as const;
}

/** Three aggregates in a row, and a sink behind the last. */
const chain: JobSpec = {
  name: "chain",
  nodes: [
    source("orders"),
    aggregate("counts", "count", from("orders"), { groups: 8, shards: 3 }),
    aggregate("sums", "sum", from("counts"), { fault: mendable }),
    aggregate("total", "sum", from("sums"), { groups: 1, shards: 1 }),
    sink("changes", from("total")),
  ],
};

/** A fork and a join: each event goes two ways and is numbered and written where they meet. */
const diamond: JobSpec = {
  name: "diamond",
  nodes: [
    source("clicks"),
    { kind: "map", name: "upper", input: from("clicks"), fault: forGood },
    { kind: "flatMap", name: "lower", input: from("clicks"), fault: mendable },
    { kind: "split", name: "fork", input: from("upper") },
    process("left-number", "number", from("fork", "left")),
    { kind: "union", name: "join", inputs: [from("left-number"), from("lower"), from("fork")] },
    process("number", "number", from("join"), { fault: mendable }),
    sink("written", from("number"), { keyed: true, shards: 2, refuses: true }),
    aggregate("numbered", "count", from("number")),
  ],
};

/** Stages behind stages, with what both their outputs go to. */
const stages: JobSpec = {
  name: "stages",
  nodes: [
    source("pages"),
    stage("fetch", from("pages"), { fault: mendable }),
    { kind: "filter", name: "kept", input: from("fetch") },
    stage("classify", from("kept"), { shards: 2, fault: forGood }),
    sink("odd", from("classify", ODD)),
    sink("all", from("fetch"), { batchEvents: 2 }),
    aggregate("classified", "sum", from("classify")),
  ],
};

/** A pull source and an HTTP source into one counter, timers, and a table. */
const timers: JobSpec = {
  name: "timers",
  nodes: [
    source("sent"),
    { kind: "pull", name: "pulled", total: 40, most: 4 },
    { kind: "union", name: "both", inputs: [from("sent"), from("pulled")] },
    aggregate("both-count", "count", from("both")),
    process("once", "once", from("both"), { fault: mendable }),
    process("total", "total", from("both-count")),
    { kind: "enrich", name: "joined", input: from("sent"), table: from("pulled"), groups: 3, shards: 2 },
    process("fleeting", "fleeting", from("joined")),
    process("distinct", "dedupe", from("fleeting"), { fault: forGood }),
    sink("first", from("once"), { hourly: true, batchMs: 600_000 }),
    sink("distinct-values", from("distinct")),
    aggregate("totals", "fragile", from("total"), { fault: mendable }),
  ],
};

/** What a deploy adds and what it retires. */
const deployed: JobSpec = {
  name: "deployed",
  nodes: [
    source("readings"),
    aggregate("kept-sum", "sum", from("readings"), { fault: forGood }),
    aggregate("going", "count", from("readings"), { until: "old" }),
    sink("going-changes", from("going"), { until: "old" }),
    stage("coming", from("readings"), { since: "new", fault: mendable }),
    sink("coming-written", from("coming"), { since: "new", refuses: true }),
    process("coming-number", "number", from("coming"), { since: "new" }),
    { kind: "pull", name: "ticks", total: 25, most: 5 },
    stage("slow", from("ticks")),
    sink("ticked", from("slow"), { refuses: true }),
  ],
};

/** Windows of every kind behind one source, most with what is late. */
const windowed: JobSpec = {
  name: "windowed",
  nodes: [
    { kind: "source", name: "readings", bound: 4_000 },
    windows("plain", "tumbling", from("readings")),
    sink("plain-panes", from("plain"), { refuses: true }),
    windows("patient", "tumbling", from("readings"), { lateness: 30_000, early: { every: 3_000 } }),
    sink("patient-panes", from("patient")),
    sink("patient-late", from("patient", LATE)),
    windows("sliding", "hopping", from("readings"), {
      discarding: true,
      early: { count: 2 },
      lateness: 9_000,
    }),
    sink("sliding-panes", from("sliding")),
    windows("visits", "session", from("readings"), { size: 15_000 }),
    sink("visits-panes", from("visits")),
    sink("visits-late", from("visits", LATE)),
    windows("counted", "hopping", from("readings"), { keeps: "count" }),
  ],
};

/** Timers, sorting and joins, of two sources with different bounds. */
const timed: JobSpec = {
  name: "timed",
  nodes: [
    { kind: "source", name: "left", bound: 2_000 },
    { kind: "source", name: "right", bound: 6_000 },
    { kind: "union", name: "both", inputs: [from("left"), from("right")] },
    {
      ...{ kind: "timed", name: "alarm", fn: "alarm", input: from("both"), groups: 4, shards: 2 },
      ...{ size: 7_000, delay: 3_000 },
    },
    sink("alarms", from("alarm")),
    sink("alarms-late", from("alarm", LATE)),
    {
      ...{ kind: "timed", name: "sorted", fn: "sorted", input: from("left"), groups: 4, shards: 2 },
      ...{ size: 0, delay: 0 },
    },
    sink("sorted-late", from("sorted", LATE)),
    {
      ...{ kind: "join", name: "pairs", fn: "window", input: from("left"), other: from("right") },
      ...{ groups: 3, shards: 2, size: 12_000 },
    },
    sink("paired", from("pairs")),
    {
      ...{ kind: "join", name: "near", fn: "interval", input: from("left"), other: from("right") },
      ...{ groups: 3, shards: 2, size: 4_000 },
    },
    sink("near-paired", from("near")),
    sink("near-late", from("near", LATE)),
  ],
};

/** Windows behind operators: what these hold up must hold the watermark up as well. */
const behind: JobSpec = {
  name: "behind",
  nodes: [
    source("readings"),
    process("number", "number", from("readings")),
    windows("numbered", "tumbling", from("number"), { size: 10_000 }),
    sink("numbered-panes", from("numbered")),
    sink("numbered-late", from("numbered", LATE)),
    windows("wide", "tumbling", from("numbered"), { size: 60_000, groups: 2 }),
    sink("wide-panes", from("wide")),
    sink("wide-late", from("wide", LATE)),
    stage("fetch", from("readings")),
    windows("fetched", "session", from("fetch"), { size: 10_000 }),
    sink("fetched-late", from("fetched", LATE)),
    { kind: "pull", name: "pulled", total: 40, most: 4 },
    windows("pulled-windows", "tumbling", from("pulled"), { size: 5_000 }),
    sink("pulled-panes", from("pulled-windows")),
  ],
};

export const FIXED_SPECS: readonly JobSpec[] = [
  ...[chain, windowed, diamond, timed, stages, behind, timers, deployed],
];
