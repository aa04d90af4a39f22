/**
 * Shard: one part of a stateful operator's keys, and the commit protocol that applies each segment exactly once.
 *
 * A call is handled on a scratch copy, then written as one row of the commit log. That row is the atomic point: before
 * it nothing has happened, after it everything has. What follows (merging the scratch copy into memory, a step of a
 * checkpoint) can be lost in a crash and is rebuilt on the next wake from the checkpoint and the log entries above it.
 * A shard that goes idle is left as it is: its log is bounded, so replaying it costs less than the alarm that would start
 * one more checkpoint.
 *
 * Everything here is synchronous, so calls cannot interleave. If a method throws anything but a ShardRefusedError, the
 * instance must be thrown away: memory may be ahead of storage.
 */
import type { Clock } from "../../clock.ts";
import { EnvelopeError, OperatorFailedError, ShardRefusedError } from "../../errors.ts";
import type { OperatorPlan } from "../../plan.ts";
import { AppliedSegments } from "../../state/applied-segments.ts";
import type { Cell } from "../../state/cells.ts";
import { CommitLog } from "../../state/commit-log.ts";
import { KeyedState } from "../../state/keyed-state.ts";
import type { PageCache } from "../../state/page-cache.ts";
import type { StateStore } from "../../state/store.ts";
import { TimerState } from "../../state/timer-state.ts";
import { TopIndex } from "../../state/top-index.ts";
import { unseal } from "../envelope.ts";
import type { SegmentId, ShardContent } from "../segment.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { PaceLimits, Unwritten } from "./checkpoint-pace.ts";
import { isDue, stepOf } from "./checkpoint-pace.ts";
import type { ProducerCounts } from "./commit.ts";
import { Commit } from "./commit.ts";
import type { ShardCounters } from "./counters.ts";
import { channelOf, emptyCounters, flowOf } from "./counters.ts";
import { checkIdentity, IDENTITY_ROW, identityOf } from "./identity.ts";
import type { LogContent } from "./log-entry.ts";
import { decodeEntry, encodeEntry, packOutput, unpackOutput } from "./log-entry.ts";
import { Outbox } from "./outbox.ts";
import { processorOf } from "./processors/index.ts";
import type { ShardCall, ShardReply, ShardSegment } from "./protocol.ts";
import { SHARD_CALL_VERSION } from "./protocol.ts";
import { RecentSegments } from "./recent-segments.ts";
import type { Fresh, Processor } from "./scratch.ts";
import { ShardUsage } from "./shard-usage.ts";

export interface ShardOptions {
  readonly generation: number;
  readonly operator: OperatorPlan;
  readonly shard: number;
  readonly store: StateStore;
  readonly cache: PageCache;
  readonly clock: Clock;
  readonly limits?: Partial<ShardLimits>;
  /** Called after each commit, when reads show it. */
  readonly onCommit?: () => void;
}

export interface ShardLimits extends PaceLimits {
  readonly appliedBytes: number;
  /** What is emitted and not confirmed; past it the shard is busy. */
  readonly outboxBytes: number;
  /** A producer that was not seen for so long is forgotten; segments of that age are refused before they come here. */
  readonly producerRetention: number;
  /** Segments of which it is known when they were applied. */
  readonly recentSegments: number;
}

const DAY = 86_400_000;

/**
 * Bytes of the log for each page, from which on a wake-up reads the pages. A change beside them takes as much memory as three
 * keys in them, so this is where to read them takes less, though more time.
 */
const DENSE_BYTES = 8 * 1024;

export const DEFAULT_LIMITS: ShardLimits = {
  checkpointCommits: 64,
  checkpointBytes: 4 * 1024 * 1024,
  checkpointKeys: 65_536,
  checkpointStepPages: 32,
  logRows: 512,
  appliedBytes: 4 * 1024 * 1024,
  outboxBytes: 2 * 1024 * 1024,
  producerRetention: 15 * DAY,
  recentSegments: 2048,
};

interface Header {
  readonly counters: ShardCounters;
  readonly top: unknown;
  readonly outbox?: ReturnType<typeof packOutput>[];
}

export class Shard {
  readonly options: ShardOptions;
  readonly limits: ShardLimits;
  readonly processor: Processor;
  readonly state: KeyedState;
  /** The index of timers: keys of `timerKey`. */
  readonly timers: TimerState;
  readonly log: CommitLog;
  readonly outbox = new Outbox();
  readonly recent: RecentSegments;
  /** What is not in the counters yet. */
  readonly usage: ShardUsage;
  readonly #store: StateStore;
  /** The watermark of an operator that has no use for it itself and only hands it on: it is told anew after each wake. */
  passed = -1;
  /** The timer in event time that the coordinator knows of; undefined when it knows of none, or nobody knows. */
  wanted: number | undefined;
  #applied: AppliedSegments;
  #counters: ShardCounters;
  #top: TopIndex;
  /** Whether storage says which shard this is. */
  #born: boolean;
  #lsn: number;
  #checkpointLsn: number;
  /** The checkpoint that is under way: the LSN up to which it will hold, and the pages that it has to write, about. */
  #underWay: { readonly lsn: number; readonly pages: number } | undefined;
  /** Duplicates seen by calls that had nothing to commit; they ride in the next commit. */
  readonly #uncommittedDuplicates = new Map<string, number>();

  /**
   * Wakes the shard up: reads the checkpoint and replays the log above it.
   *
   * @throws StateError when storage has a gap or another format, or holds another operator's state.
   */
  constructor(options: ShardOptions) {
    this.options = options;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#store = options.store;
    const { name } = options.operator;
    this.usage = new ShardUsage(name, options.store);
    const stored = options.store.readMeta(IDENTITY_ROW);
    if (stored !== undefined)
      checkIdentity(JSON.parse(new TextDecoder().decode(stored)), identityOf(options));
    this.#born = stored !== undefined;
    this.processor = processorOf(options.operator);
    this.state = new KeyedState(options.store, options.cache, `${name}/${options.shard}`);
    this.timers = new TimerState(options.store, options.cache, `${name}/${options.shard}/timers`);
    this.log = new CommitLog(options.store, this.limits.logRows);
    this.recent = new RecentSegments(this.limits.recentSegments);
    const checkpoint = readCheckpoint(options.store, this.limits.appliedBytes);
    const header = checkpoint?.header as Header | undefined;
    this.#lsn = this.#checkpointLsn = checkpoint?.lsn ?? 0;
    this.#applied = checkpoint?.applied ?? new AppliedSegments(this.limits.appliedBytes);
    this.#counters = header?.counters ?? emptyCounters();
    this.#top = header === undefined ? new TopIndex() : TopIndex.from(header.top);
    for (const packed of header?.outbox ?? []) this.outbox.add(unpackOutput(packed));
    this.outbox.reconcile(header?.counters.channels);
    const entries = this.log.replay(this.#checkpointLsn);
    const dense = this.log.bytes > this.state.pages * DENSE_BYTES;
    for (const { lsn, data } of entries) {
      const content = decodeEntry(data);
      this.#take(lsn, content, dense ? this.state.cellsOf(content.changes) : undefined);
    }
    this.outbox.reconcile(this.#counters.channels);
  }

  get lsn(): number {
    return this.#lsn;
  }

  get checkpointLsn(): number {
    return this.#checkpointLsn;
  }

  get applied(): AppliedSegments {
    return this.#applied;
  }

  get counters(): Readonly<ShardCounters> {
    return this.#counters;
  }

  get top(): TopIndex {
    return this.#top;
  }

  /** More is waiting to leave this shard than it should hold: it takes nothing in until that has gone. */
  get busy(): boolean {
    const { operator } = this.options;
    if (this.outbox.bytes > this.limits.outboxBytes) return true;
    return operator.kind === "sink" && (this.#counters.sink?.bytes ?? 0) > operator.bufferBytes;
  }

  /**
   * Applies the segments of one batch that have not been applied yet, in one commit.
   *
   * @throws ShardRefusedError when the call is meant for another generation, operator or shard count, or user code
   * throws in a job whose policy is `fail`: nothing changed.
   */
  apply(call: ShardCall): ShardReply {
    this.check(call);
    if (this.busy && call.segments.some(({ content }) => content !== null)) {
      this.usage.take(call.used);
      return { lsn: this.#lsn, applied: 0, duplicates: 0, forgotten: [], unreadable: [], busy: true };
    }
    const { fresh, withoutContent, ...reply } = this.#sort(call.segments);
    if (fresh.length > 0) {
      this.transact(this.processor.keysOf(fresh), (commit) => {
        // In the commit, since a call that is refused brings it again.
        commit.use(call.used);
        for (const { segment, content } of fresh) {
          commit.applySegment(segment, content, this.#countsOf(segment.producer, commit));
        }
      });
    } else this.usage.take(call.used);
    // Known to hold nothing for this shard. To forget that in a crash is harmless: it costs a bit, not a count.
    for (const segment of withoutContent) this.#applied.add(segment.producer, segment.sequence, segment);
    return { lsn: this.#lsn, applied: fresh.length, ...reply };
  }

  /**
   * Makes one commit of what `work` does to a scratch copy that can read `keys`.
   *
   * @throws ShardRefusedError when user code throws in a job whose policy is `fail`: nothing changed.
   */
  transact(keys: readonly string[], work: (commit: Commit) => void): void {
    const { operator, shard, clock } = this.options;
    const commit = new Commit({
      operator,
      processor: this.processor,
      shard,
      lsn: this.#lsn + 1,
      now: clock.now(),
      counters: this.#counters,
      cells: this.state.read(keys),
      state: this.state,
    });
    try {
      work(commit);
      commit.finish();
    } catch (error) {
      throw error instanceof OperatorFailedError ? new ShardRefusedError(error.message) : error;
    }
    this.#write(commit);
  }

  /** A destination has committed all of this shard's segments below `sequence`. It is stored with the next commit. */
  confirm(destination: string, sequence: number): void {
    this.outbox.confirm(destination, sequence);
    const channel = channelOf(this.#counters, destination);
    channel.confirmed = Math.max(channel.confirmed, sequence);
  }

  /** What of a call is new, what was there before, and what can be neither said nor read. */
  #sort(segments: readonly ShardSegment[]) {
    const fresh: Fresh[] = [];
    const withoutContent: ShardSegment[] = [];
    const forgotten: SegmentId[] = [];
    const unreadable: SegmentId[] = [];
    let duplicates = 0;
    const inThisCall = new Set<string>();
    for (const segment of segments) {
      const { producer, sequence, arrival, source } = segment;
      const id = `${producer}.${sequence}`;
      const status = inThisCall.has(id) ? "applied" : this.#applied.status(producer, sequence, arrival);
      inThisCall.add(id);
      if (segment.content === null) {
        if (status === "new") withoutContent.push(segment);
      } else if (status === "applied") {
        duplicates++;
        this.#uncommittedDuplicates.set(source, (this.#uncommittedDuplicates.get(source) ?? 0) + 1);
      } else if (status === "forgotten") {
        forgotten.push({ producer, sequence });
      } else {
        const content = readable(segment.content);
        if (content === undefined) unreadable.push({ producer, sequence });
        else fresh.push({ segment, content });
      }
    }
    return { fresh, withoutContent, duplicates, forgotten, unreadable };
  }

  /** Moves everything into pages and records the checkpoint, in bounded transactions. */
  checkpoint(): void {
    this.#underWay ??= this.#beginCheckpoint(this.#unwritten());
    while (!this.#stepCheckpoint(this.#underWay, this.limits.checkpointStepPages));
  }

  #write(commit: Commit): void {
    commit.counters.commits++;
    for (const [source, duplicates] of this.#uncommittedDuplicates) {
      flowOf(commit.counters, source).duplicates += duplicates;
    }
    this.usage.settle(commit.counters, commit.rows + (this.#born ? 0 : 1));
    const lsn = this.#lsn + 1;
    const { content } = commit;
    const data = encodeEntry(content);
    if (!this.log.roomFor(data)) this.checkpoint();
    if (!this.log.roomFor(data)) this.checkpoint();
    this.#store.transaction(() => {
      if (!this.#born) {
        const identity = new TextEncoder().encode(JSON.stringify(identityOf(this.options)));
        this.#store.writeMeta(IDENTITY_ROW, identity);
      }
      this.log.append(lsn, data);
      for (const { number, letter } of commit.deadLetters) {
        this.#store.writeDeadLetter({ number, data: JSON.stringify(letter) });
      }
      for (const number of commit.erasedLetters) this.#store.deleteDeadLetter(number);
    });
    this.#born = true;
    this.#uncommittedDuplicates.clear();
    this.#take(lsn, content, commit.changed);
    this.#maintain(data.length);
    this.options.onCommit?.();
  }

  /** Merges a durable commit into memory: after writing it, and again on replay. @param cells what has changed, where it was looked up. */
  #take(lsn: number, content: LogContent, cells?: readonly Cell[]): void {
    const { segments, changes, counters, timers, outputs } = content;
    this.#lsn = lsn;
    this.#counters = counters;
    this.recent.take(lsn, content);
    for (const segment of segments) {
      const { producer, sequence, counted, settled, open } = segment;
      if (open) this.#applied.meet(producer, segment);
      else this.#applied.add(producer, sequence, segment);
      this.#applied.setCounted(producer, counted, settled);
    }
    if (cells === undefined) this.state.put(changes);
    else this.state.putCells(cells);
    this.timers.put(timers);
    for (const output of outputs) this.outbox.add(output);
    if (!this.processor.growing) return;
    for (let at = 0; at < changes.length; at += 2) {
      const key = changes[at] as string;
      const value = changes[at + 1];
      const result = value === null ? undefined : this.processor.result(value);
      if (typeof result === "number" && Number.isFinite(result)) this.#top.update(key, result);
      else this.#top.remove(key);
    }
  }

  #countsOf(producer: string, commit: Commit): ProducerCounts {
    const inCommit = commit.segments.findLast((earlier) => earlier.producer === producer);
    return inCommit ?? this.#applied.record(producer) ?? { counted: 0, settled: 0 };
  }

  /** @param bytes by which the commit before it has made the log grow. */
  #maintain(bytes: number): void {
    const { crowded } = this.options.cache;
    if (this.#underWay === undefined) {
      const unwritten = this.#unwritten();
      if (!isDue(unwritten, this.limits) && !(crowded && unwritten.pages > 0)) return;
      this.#underWay = this.#beginCheckpoint(unwritten);
    }
    this.#stepCheckpoint(this.#underWay, stepOf(this.#underWay.pages, bytes, this.limits, crowded));
  }

  #unwritten(): Unwritten {
    const { state, timers, log } = this;
    return {
      commits: this.#lsn - this.#checkpointLsn,
      logRows: log.rows,
      logBytes: log.bytes,
      keys: state.changedKeys + timers.changedKeys,
      pages: state.changedPages + timers.changedPages,
    };
  }

  #beginCheckpoint({ pages }: Pick<Unwritten, "pages">) {
    this.state.freeze();
    this.timers.freeze();
    return { lsn: this.#lsn, pages };
  }

  /** @returns true when the checkpoint is recorded. */
  #stepCheckpoint({ lsn }: { lsn: number }, pages: number): boolean {
    if (!this.state.flush(pages) || !this.timers.flush(pages)) return false;
    this.#applied.forgetBefore(this.options.clock.now() - this.limits.producerRetention);
    const outbox = this.outbox.entries().map(packOutput);
    // In a copy: an instance that lives on stores what it has used with its next commit.
    const counters = structuredClone(this.#counters);
    this.usage.addTo(counters, 1);
    const header: Header = {
      counters,
      top: this.#top.toJSON(),
      ...(outbox.length === 0 ? {} : { outbox }),
    };
    this.#store.transaction(() => writeCheckpoint(this.#store, { lsn, header, applied: this.#applied }));
    this.state.thaw();
    this.timers.thaw();
    this.log.release(lsn);
    this.#checkpointLsn = lsn;
    this.#underWay = undefined;
    return true;
  }

  /** @throws ShardRefusedError when a call is meant for another generation, operator or shard count. */
  check(call: Omit<ShardCall, "segments">): void {
    const { generation, operator, shard } = this.options;
    const refuse = (what: string, got: unknown, own: unknown): void => {
      if (got === own) return;
      throw new ShardRefusedError(
        `shard ${operator.name}/${shard}: the call is for ${what} ${String(got)}, this is ${String(own)}; it will be retried until the deployments agree`,
      );
    };
    refuse("call version", call.v, SHARD_CALL_VERSION);
    refuse("generation", call.generation, generation);
    refuse("operator", call.operator, operator.name);
    refuse("shard", call.shard, shard);
    refuse("shard count", call.shards, operator.shards);
  }
}

function readable(content: string): ShardContent | undefined {
  try {
    return unseal(content);
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined;
    throw error;
  }
}
