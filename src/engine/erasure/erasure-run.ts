/** ErasureRun: goes on with an erasure from where it is: step by step, each noted when it is done. */
import { messageOf } from "../../errors.ts";
import type { OperatorPlan, Plan, SinkPlan, ViewPlan } from "../../plan.ts";
import { viewsOf } from "../../plan.ts";
import { eraseKey } from "../../sinks/erase-key.ts";
import { fileStoreOf } from "../../sinks/file-store.ts";
import { FileSink } from "../../sinks/files.ts";
import type { Forgotten } from "../shard/protocol.ts";
import { Backoff } from "../shard/tasks/task.ts";
import type { ErasedFiles, Erasure, ErasurePorts, ErasureWork } from "./erasure.ts";

/** Files of one page, and pages of one run: a platform limits what one run may ask for. */
const FILES_PAGE = 100;
const FILE_PAGES = 4;
/** Runs in a row that may fail before dead letters go that cannot be sent again. */
const REDRIVES = 5;

/**
 * Goes on with an erasure as far as it can for now, saving each step. Must not run twice at a time for one erasure.
 *
 * Never throws but what `save` throws: what fails is noted in the erasure, and tried again when its `work.next` has come.
 */
export async function continueErasure(
  plan: Plan,
  erasure: Erasure,
  ports: ErasurePorts,
  now: () => number,
): Promise<Erasure> {
  const run = new ErasureRun(plan, erasure, ports);
  try {
    await run.proceed();
  } catch (error) {
    run.failed(error);
  }
  return run.finish(now());
}

/** An erasure that can never be finished. */
class HopelessError extends Error {}

type Progress = { -readonly [Field in keyof Erasure]: Erasure[Field] };

class ErasureRun {
  readonly #plan: Plan;
  readonly #ports: ErasurePorts;
  #now: Progress;
  #work: ErasureWork | undefined;
  #complete = false;
  #hopeless = false;
  #stepped = false;
  #pages = 0;

  constructor(plan: Plan, { work, ...erasure }: Erasure, ports: ErasurePorts) {
    this.#plan = plan;
    this.#ports = ports;
    this.#now = { ...erasure };
    delete this.#now.error;
    delete this.#now.waitingFor;
    this.#work = work;
  }

  async proceed(): Promise<void> {
    const view = this.#view();
    const operators = [...this.#plan.operators.values()].filter(({ job }) => job === view.job);
    const sinks = operators.filter(isFileSink);
    for (const operator of [view, ...sinks.filter(({ keyed }) => keyed)]) {
      for (let shard = 0; shard < operator.shards; shard++) await this.#forget("forget", operator, shard);
    }
    for (const operator of operators) {
      for (let shard = 0; shard < operator.shards; shard++) await this.#wipe(operator, shard, view);
      if (this.#now.waitingFor !== undefined) return;
    }
    for (const sink of sinks) {
      if (!(await this.#eraseFiles(sink))) return;
    }
    this.#complete = true;
  }

  failed(error: unknown): void {
    this.#now.error = messageOf(error);
    this.#hopeless = error instanceof HopelessError;
  }

  async finish(now: number): Promise<Erasure> {
    if (this.#complete || this.#hopeless) {
      this.#now.status = this.#complete ? "done" : "failed";
      this.#now.finished = now;
      this.#work = undefined;
    } else if (this.#work !== undefined) {
      this.#work = { ...this.#work, ...this.#pause(this.#work, now) };
    }
    return this.#save();
  }

  /** What has come further goes on at once, or soon; what has not, later and later. */
  #pause({ failures }: ErasureWork, now: number): Pick<ErasureWork, "failures" | "next"> {
    const stuck = this.#now.error !== undefined || this.#now.waitingFor !== undefined;
    if (!stuck) return { failures: 0, next: now };
    const before = this.#stepped ? 0 : failures;
    const backoff = new Backoff();
    for (let n = 0; n <= Math.min(before, 10); n++) backoff.failed(now);
    return { failures: before + 1, next: backoff.until };
  }

  #view(): ViewPlan {
    const view = viewsOf(this.#plan).find(({ name }) => name === this.#now.view);
    if (view !== undefined) return view;
    throw new HopelessError(`there is no view "${this.#now.view}" any more; bring it back, and erase again`);
  }

  async #forget(step: string, { name }: OperatorPlan, shard: number): Promise<void> {
    const id = `${step} ${name}/${shard}`;
    const { key } = this.#left;
    if (this.#isDone(id)) return;
    let forgotten = await this.#ports.forget(name, shard, key, false);
    this.#count(forgotten);
    if (forgotten.redriving.length > 0) {
      await this.#redrive(name, shard, forgotten.redriving);
      forgotten = await this.#ports.forget(name, shard, key, true);
      this.#count(forgotten);
    }
    await this.#done(id);
  }

  /** Finishes what somebody has begun, so that no event is lost to the count; what nobody takes any more is. */
  async #redrive(name: string, shard: number, numbers: readonly number[]): Promise<void> {
    try {
      await this.#ports.redrive(name, shard, numbers);
    } catch (error) {
      if (this.#left.failures < REDRIVES) throw error;
    }
  }

  async #wipe(operator: OperatorPlan, shard: number, view: ViewPlan): Promise<void> {
    const { name } = operator;
    const id = `wipe ${name}/${shard}`;
    if (this.#isDone(id)) return;
    if (operator === view) await this.#forget("forget again", operator, shard);
    const { rows, marks, waitingFor } = await this.#ports.wipe(name, shard, this.#left.marks[id]);
    if (marks !== undefined) {
      this.#now.waitingFor = `${name}/${shard}: ${waitingFor ?? "it is busy"}`;
      this.#work = { ...this.#left, marks: { ...this.#left.marks, [id]: marks } };
      await this.#save();
      return;
    }
    const { log } = this.#now;
    this.#now.log = { shards: log.shards + 1, rows: log.rows + rows };
    await this.#done(id);
  }

  /** @returns false when there is more to do, in another run. */
  async #eraseFiles({
    name,
    keyed,
    sink,
  }: SinkPlan & { readonly sink: FileSink<unknown> }): Promise<boolean> {
    const id = `files ${name}`;
    if (this.#isDone(id)) return true;
    const { key } = this.#left;
    while (keyed) {
      if (this.#pages++ >= FILE_PAGES) return false;
      const store = fileStoreOf(`sink ${name}`, this.#ports.env, sink.bucket);
      const { cursor: from } = this.#left;
      const page = { limit: FILES_PAGE, ...(from === undefined ? {} : { cursor: from }) };
      const { cursor, ...erased } = await eraseKey(store, name, key, page);
      this.#countFiles(name, keyed, erased);
      this.#work = withCursor(this.#left, cursor);
      if (cursor === undefined) break;
      this.#stepped = true;
      await this.#save();
    }
    if (!keyed) this.#countFiles(name, keyed, { objects: 0, rewritten: 0, events: 0 });
    await this.#done(id);
    return true;
  }

  #count({ keys, timers, deadLetters }: Forgotten): void {
    const { state } = this.#now;
    this.#now.state = { keys: state.keys + keys, timers: state.timers + timers };
    this.#now.deadLetters += deadLetters;
  }

  #countFiles(sink: string, keyed: boolean, page: Omit<ErasedFiles, "sink" | "keyed">): void {
    const before = this.#now.sinks.find((one) => one.sink === sink);
    const sum = {
      sink,
      keyed,
      objects: (before?.objects ?? 0) + page.objects,
      rewritten: (before?.rewritten ?? 0) + page.rewritten,
      events: (before?.events ?? 0) + page.events,
    };
    this.#now.sinks = [...this.#now.sinks.filter((one) => one !== before), sum];
  }

  get #left(): ErasureWork {
    if (this.#work === undefined) throw new Error("this erasure is finished");
    return this.#work;
  }

  #isDone(step: string): boolean {
    return this.#left.done.includes(step);
  }

  async #done(step: string): Promise<void> {
    const { [step]: _, ...marks } = this.#left.marks;
    this.#work = { ...this.#left, done: [...this.#left.done, step], marks };
    this.#stepped = true;
    await this.#save();
  }

  async #save(): Promise<Erasure> {
    const erasure = this.#work === undefined ? this.#now : { ...this.#now, work: this.#work };
    await this.#ports.save(erasure);
    return erasure;
  }
}

function isFileSink(operator: OperatorPlan): operator is SinkPlan & { readonly sink: FileSink<unknown> } {
  return operator.kind === "sink" && operator.sink instanceof FileSink;
}

function withCursor({ cursor: _, ...work }: ErasureWork, cursor: string | undefined): ErasureWork {
  return cursor === undefined ? work : { ...work, cursor };
}
