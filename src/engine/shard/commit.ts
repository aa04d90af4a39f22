/** Commit: the scratch copy on which a shard handles one call, and the log entry that it becomes. */
import { messageOf, OperatorFailedError } from "../../errors.ts";
import type { Event } from "../../event.ts";
import type { OperatorPlan } from "../../plan.ts";
import type { Cell, Cells } from "../../state/cells.ts";
import type { KeyedState, StateEntry } from "../../state/keyed-state.ts";
import type { PackedEvent, ShardContent } from "../segment.ts";
import { ProducerKind, RECORD_WIDTH, unpackEvent } from "../segment.ts";
import type { Usages } from "../usage.ts";
import { addUsages } from "../usage.ts";
import type { ShardCounters } from "./counters.ts";
import { flowOf } from "./counters.ts";
import { Emitter } from "./emitter.ts";
import type { LogContent, LoggedSegment } from "./log-entry.ts";
import type { OutboxEntry } from "./outbox.ts";
import type { DeadLetter, ShardSegment } from "./protocol.ts";
import type { InputRecord, Processor, Scratch } from "./scratch.ts";

/** What is known of a producer's events; see ProducerRecord. */
export interface ProducerCounts {
  readonly counted: number;
  readonly settled: number;
}

/** A dead letter and its row. */
export interface NumberedLetter {
  readonly number: number;
  readonly letter: DeadLetter;
}

export interface CommitOptions {
  readonly operator: OperatorPlan;
  readonly processor: Processor;
  readonly shard: number;
  readonly lsn: number;
  readonly now: number;
  /** Before the commit; not changed by it. */
  readonly counters: ShardCounters;
  /** All keys that the commit may read. It is the commit's own from now on. */
  readonly cells: Cells;
  /** The state before the commit. */
  readonly state: Pick<KeyedState, "get" | "entries">;
}

/** What one call changes. Nothing of the shard changes until it is written. */
export class Commit implements Scratch {
  readonly segments: LoggedSegment[] = [];
  /** What it has put, in order. */
  readonly changed: Cell[] = [];
  readonly timers = new Map<string, unknown>();
  /** Rows of the dead-letter table to write. */
  readonly deadLetters: NumberedLetter[] = [];
  /** Rows of the dead-letter table to delete. */
  readonly erasedLetters: number[] = [];
  readonly counters: ShardCounters;
  readonly now: number;
  readonly lsn: number;
  readonly shard: number;
  outputs: readonly OutboxEntry[] = [];

  readonly #operator: OperatorPlan;
  readonly #processor: Processor;
  readonly #cells: Cells;
  readonly #state: CommitOptions["state"];
  readonly #armed: string[] = [];
  #outputs = 0;
  #emitter: Emitter | undefined;

  constructor({ operator, processor, shard, lsn, now, counters, cells, state }: CommitOptions) {
    this.#state = state;
    this.#operator = operator;
    this.#processor = processor;
    this.#cells = cells;
    this.shard = shard;
    this.lsn = lsn;
    this.now = now;
    this.counters = structuredClone(counters);
  }

  /**
   * @param before what the shard knew of the producer before this segment.
   * @throws OperatorFailedError when user code throws in a job whose policy is `fail`.
   */
  applySegment(segment: ShardSegment, content: ShardContent, before: ProducerCounts): void {
    const { records, dropped, dead: buried, times } = content;
    const { source } = segment;
    const begun = this.#processor.begun?.(segment, this) ?? false;
    const flow = flowOf(this.counters, source);
    const { late, dead } = flow;
    flow.applied += dropped;
    let settled = dropped;
    for (const { operator, error, event, n } of buried) {
      this.#mustNotFail(operator, error);
      this.bury({ source, operator, error, n, event });
      settled += n;
    }
    for (let at = 0; at < records.length; at += RECORD_WIDTH) {
      const n = records[at + 2] as number;
      const record: InputRecord = {
        segment,
        key: records[at] as string,
        partial: records[at + 1],
        n,
        time: times?.[at / RECORD_WIDTH],
      };
      try {
        const became = this.#processor.apply(record, this);
        if (became === "skipped") continue;
        if (became === "applied") flow.applied += n;
        if (became === "late") flow.late += n;
      } catch (error) {
        if (error instanceof OperatorFailedError) throw error;
        const { name } = this.#operator;
        this.#mustNotFail(name, messageOf(error));
        this.bury({ source, operator: name, error: messageOf(error), n, ...this.#processor.remains(record) });
      }
      settled += n;
    }
    this.#processor.endSegment?.(segment, this);
    const { producer, sequence, kind, arrival, open = false } = segment;
    this.segments.push({
      producer,
      sequence,
      kind,
      source,
      arrival,
      ...countsAfter(segment, settled, before, begun),
      open,
      late: flow.late - late,
      dead: flow.dead - dead,
    });
  }

  get(key: string): unknown {
    const cell = this.#cells.get(key);
    if (cell === undefined) return this.before(key);
    return cell.after === undefined ? cell.before : (cell.after ?? undefined);
  }

  before(key: string): unknown {
    const cell = this.#cells.get(key);
    if (cell?.before !== undefined) return cell.before;
    return this.#processor.looksUp === true ? this.#state.get(key) : undefined;
  }

  range(range: { prefix: string; after?: string }): Iterable<StateEntry> {
    return this.#state.entries(range);
  }

  put(key: string, value: unknown): void {
    const cell = this.#cells.get(key) ?? (this.#cells.add(key) as Cell);
    if (cell.after === undefined) this.changed.push(cell);
    cell.after = value;
  }

  setTimer(timer: string, cursor: unknown = 1): void {
    this.timers.set(timer, cursor);
    this.#armed.push(timer);
  }

  /** The timers that were set since this was asked last. */
  takeArmed(): string[] {
    return this.#armed.splice(0);
  }

  deleteTimer(timer: string): void {
    this.timers.set(timer, null);
  }

  outputId(): string {
    return `${this.#operator.name}/${this.shard}.${this.lsn}.${this.#outputs++}`;
  }

  emit(output: string | undefined, event: Event<unknown>): void {
    this.#emitter ??= new Emitter(this.#operator, this.shard);
    this.#emitter.emit(output, event);
  }

  bury(letter: Omit<DeadLetter, "time">): void {
    flowOf(this.counters, letter.source).dead += letter.n;
    this.deadLetters.push({
      number: this.counters.nextDeadLetter++,
      letter: { ...letter, time: this.now },
    });
  }

  releaseDeadLetter(number: number, letter: DeadLetter): void {
    flowOf(this.counters, letter.source).dead -= letter.n;
    this.deadLetters.push({ number, letter: { ...letter, released: true } });
  }

  /** What the letter holds is to be forgotten: its events count as applied, and its row goes with this commit. */
  eraseDeadLetter(number: number, { source, n, released = false }: DeadLetter): void {
    this.erasedLetters.push(number);
    // One that was sent again counts as in flight until it has arrived.
    if (released || n === 0) return;
    const flow = flowOf(this.counters, source);
    flow.dead -= n;
    flow.applied += n;
  }

  /** Everything has been applied: what is emitted at the end is, and gets its numbers. */
  finish(): void {
    this.#processor.finish?.(this);
    if (this.#emitter === undefined) return;
    const { entries, oversized } = this.#emitter.finish(this.counters, this.now);
    this.outputs = entries;
    for (const { stage, bytes, content } of oversized) {
      const [key = "", packed] = content.records as [string?, PackedEvent?];
      const event = packed === undefined ? content.dead[0]?.event : unpackEvent(packed, key, false);
      this.bury({
        source: this.#operator.name,
        operator: stage,
        error: `an event of ${bytes} bytes does not fit a message to the stage`,
        n: 0,
        ...(event === undefined ? {} : { event }),
      });
    }
  }

  /** What the caller has used rides in this commit. */
  use(used: Readonly<Usages> | undefined): void {
    if (used === undefined) return;
    this.counters.used ??= {};
    addUsages(this.counters.used, used);
  }

  /** The rows that it will write, unless it is larger than one. */
  get rows(): number {
    return 1 + this.deadLetters.length + this.erasedLetters.length;
  }

  get content(): LogContent {
    const { segments, counters, outputs, now: time } = this;
    const changes: unknown[] = [];
    for (const { key, after } of this.changed) changes.push(key, after);
    return { segments, changes, counters, timers: [...this.timers].flat(), outputs, time };
  }

  #mustNotFail(operator: string, error: string): void {
    if (this.#operator.onError === "fail") throw new OperatorFailedError(operator, error);
  }
}

function countsAfter(
  { kind, before, events, anchored }: ShardSegment,
  own: number,
  { counted, settled }: ProducerCounts,
  begun: boolean,
): ProducerCounts {
  switch (kind) {
    case ProducerKind.isolate:
    case ProducerKind.channel:
      return { counted: Math.max(counted, before + events), settled: settled + own };
    case ProducerKind.client:
      return { counted: counted + (anchored && !begun ? events : 0), settled: settled + own };
    case ProducerKind.redrive:
      // Its events were counted when they were first accepted.
      return { counted: 0, settled: 0 };
  }
}
