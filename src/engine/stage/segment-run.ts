/**
 * SegmentRun: works through what one segment holds for a stage, and commits what its events came to.
 *
 * Slow events are committed as they are done, so a run that dies does not start from the beginning, and a segment may take
 * longer than one delivery lasts.
 */
import { OperatorFailedError } from "../../errors.ts";
import type { StagePlan } from "../../plan.ts";
import type { SealedSegment } from "../envelope.ts";
import { seal, unseal } from "../envelope.ts";
import type { PackedEvent, ShardContent } from "../segment.ts";
import { RECORD_WIDTH, unpackEvent } from "../segment.ts";
import type { StageOutcome } from "../shard/processors/relay.ts";
import type { ShardSegment } from "../shard/protocol.ts";
import { allDone } from "./all-done.ts";
import { runEvent } from "./event-runner.ts";

/** What is done is committed at least so often, ms. */
const COMMIT_MS = 1_000;

export interface RunPorts {
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** Waits for a free place among the events that may be worked on, and takes it until `release` is called. */
  readonly place: () => Promise<() => void>;
  /** Commits a part, or the end, of a segment. @throws when it is not committed. */
  readonly commit: (shard: number, segment: ShardSegment) => Promise<void>;
  /** Positions that an earlier run has committed; `all` when the segment is complete. */
  readonly progress: (shard: number, segment: SealedSegment) => Promise<readonly number[] | "all">;
  /** No event is started after this time, epoch milliseconds. */
  readonly deadline: number;
}

/** @returns false when time is up and some events are still to be worked on. @throws when nothing can be said. */
export async function runSegment(
  plan: StagePlan,
  source: string,
  segment: SealedSegment,
  shard: number,
  sealed: string,
  ports: RunPorts,
): Promise<boolean> {
  const content = unseal(sealed);
  const done = await ports.progress(shard, segment);
  if (done === "all") return true;
  const positions = Array.from({ length: content.records.length / RECORD_WIDTH }, (_, n) => n);
  const todo = positions.filter((position) => !done.includes(position));
  const run = new Run(plan, source, segment, shard, content, ports);
  await allDone(todo.map((position) => run.event(position)));
  return run.finish(todo.length);
}

class Run {
  readonly #base: Omit<ShardSegment, "content">;
  #outcomes: unknown[] = [];
  #finished = 0;
  #failure: OperatorFailedError | undefined;
  #lastCommit: number;
  #committing: Promise<void> | undefined;
  /** Something could not be committed: this run is lost, and starts no more events. */
  #broken = false;

  readonly plan: StagePlan;
  readonly shard: number;
  readonly content: ShardContent;
  readonly ports: RunPorts;

  constructor(
    plan: StagePlan,
    source: string,
    { parts: _, ...segment }: SealedSegment,
    shard: number,
    content: ShardContent,
    ports: RunPorts,
  ) {
    this.plan = plan;
    this.shard = shard;
    this.content = content;
    this.ports = ports;
    this.#base = { ...segment, source, anchored: true };
    this.#lastCommit = ports.now();
  }

  async event(position: number): Promise<void> {
    const { plan, content, ports } = this;
    const release = await ports.place();
    try {
      if (this.#broken || ports.now() >= ports.deadline) return;
      const [key, packed, n] = content.records.slice(position * RECORD_WIDTH, (position + 1) * RECORD_WIDTH);
      const event = unpackEvent(packed as PackedEvent, key as string, plan.keyed);
      const outcome: StageOutcome = await runEvent(plan, event, ports.wait);
      this.#outcomes.push(String(position), outcome, n);
      this.#finished++;
    } catch (error) {
      if (!(error instanceof OperatorFailedError)) throw error;
      this.#failure = error;
    } finally {
      release();
    }
    await this.#commitSome();
  }

  /** @throws OperatorFailedError when an event failed for good by policy; what else is done is committed. */
  async finish(todo: number): Promise<boolean> {
    await this.#committing;
    const complete = this.#finished === todo;
    if (complete) await this.#commit(false);
    else if (this.#outcomes.length > 0) await this.#commit(true);
    if (this.#failure !== undefined) throw this.#failure;
    return complete;
  }

  async #commitSome(): Promise<void> {
    if (this.#committing !== undefined || this.ports.now() - this.#lastCommit < COMMIT_MS) return;
    // The last one goes with the end of the segment.
    if (this.#finished * RECORD_WIDTH >= this.content.records.length) return;
    this.#committing = this.#commit(true).finally(() => {
      this.#committing = undefined;
    });
    await this.#committing;
  }

  async #commit(open: boolean): Promise<void> {
    const { dropped, dead } = this.content;
    const records = this.#outcomes;
    this.#outcomes = [];
    this.#lastCommit = this.ports.now();
    const content = seal(open ? { records, dropped: 0, dead: [] } : { records, dropped, dead });
    const segment = { ...this.#base, content };
    try {
      await this.ports.commit(this.shard, open ? { ...segment, open } : segment);
    } catch (error) {
      this.#broken = true;
      throw error;
    }
  }
}
