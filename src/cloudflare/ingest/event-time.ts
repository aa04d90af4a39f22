/**
 * EventTime: what ingest tells the coordinator of a job: that it is about to send (holds), and the requests of replays.
 *
 * Holds are reported in the background and never in the way of a 202: the frontier stays behind the clock for as long as
 * a report may take. Of a replay each request asks to be let in, since what it is late for follows from those before it.
 */
import type { Clock } from "../../clock.ts";
import type { SegmentTime } from "../../engine/segment.ts";
import type { Reading } from "../../engine/source-executor.ts";
import type { Held, Reporter, SendOutcome } from "../../engine/watermark/holds.ts";
import { Holds } from "../../engine/watermark/holds.ts";
import type { HoldReport } from "../../engine/watermark/protocol.ts";
import { WATERMARK_VERSION } from "../../engine/watermark/protocol.ts";
import { messageOf, QueueError } from "../../errors.ts";
import { Problem } from "../http/problem.ts";
import type { CoordinatorRpc } from "../rpc.ts";
import type { Claim } from "./identity.ts";

/** Tries of a report, and the wait before the second, ms; each further one is twice as long. Within the half minute that a Worker lives on. */
const TRIES = 6;
const FIRST_WAIT_MS = 250;
/** A timer may come a little early. */
const SLACK_MS = 5;
/** How often a request of a replay asks again whether those before it have come, and how long. */
const ASK_MS = 200;
const ASK_FOR_MS = 5_000;

/** The holds of one source in this isolate. */
export class SourceHolds {
  readonly #holds: Holds;

  constructor(source: string) {
    this.#holds = new Holds({ source });
  }

  /**
   * Before the arrival of a request is fixed.
   *
   * @param coordinator and `waitUntil` of the request at hand: what belongs to another request cannot be used.
   */
  enter(clock: Clock, coordinator: CoordinatorRpc, waitUntil: (work: Promise<unknown>) => void): Held {
    const report: Reporter = (said) => waitUntil(reported(coordinator, said));
    const before = this.#holds.closesAt;
    const held = this.#holds.enter(clock.now(), report);
    const { closesAt } = this.#holds;
    if (closesAt !== undefined && closesAt !== before) waitUntil(this.#closeAt(closesAt, clock, report));
    return held;
  }

  async #closeAt(time: number, clock: Clock, report: Reporter): Promise<void> {
    await sleep(time - clock.now() + SLACK_MS);
    this.#holds.close(clock.now(), report);
  }
}

/** Does not throw: what is never heard is waited for a fixed time. */
async function reported(coordinator: CoordinatorRpc, report: HoldReport): Promise<void> {
  for (let left = TRIES, wait = FIRST_WAIT_MS; ; left--, wait *= 2) {
    try {
      await coordinator.holds(report);
      return;
    } catch (error) {
      console.error(`a hold was not reported: ${messageOf(error)}`);
      if (left <= 1) return;
    }
    await sleep(wait);
  }
}

/** What became of a send. */
export function outcomeOf(error: unknown): SendOutcome {
  return error instanceof QueueError && error.outcome === "none" ? "lost" : "unsure";
}

/** What a request says of the replay that it is a part of. */
export interface ReplayHeaders {
  readonly end: boolean;
}

/** @throws Problem 400 when the headers make no sense. */
export function replayOf(headers: Headers, claim: Claim): ReplayHeaders | undefined {
  const replay = flag(headers, "Millrace-Replay");
  const end = flag(headers, "Millrace-End");
  if (!replay) {
    if (end) throw new Problem(400, "Millrace-End: ends a replay; send Millrace-Replay: 1 with it");
    return undefined;
  }
  if (claim.by !== "client") {
    throw new Problem(
      400,
      "Millrace-Replay: the requests of a replay are numbered; send Millrace-Producer and Millrace-Sequence with each",
    );
  }
  return { end };
}

/** Lets a request of a replay in. @throws Problem 409 when those before it do not come, or it may not be; 503 when nobody answers. */
export async function admitted(
  coordinator: CoordinatorRpc,
  source: string,
  { producer, sequence }: Claim & { by: "client" },
  { end }: ReplayHeaders,
  { earliest, latest }: Reading,
): Promise<SegmentTime> {
  const admission = { v: WATERMARK_VERSION, source, producer, sequence, earliest, latest, end };
  for (let waited = 0; ; waited += ASK_MS) {
    const answer = await coordinator.admit(admission).catch((error: unknown) => {
      console.error("the coordinator of watermarks:", error);
      const detail = "the replay could not be let in; nothing was taken, try again";
      throw new Problem(503, detail, { outcome: "none" }, { "retry-after": "1" });
    });
    if ("front" in answer) return { hold: producer, n: sequence, front: answer.front };
    if ("refused" in answer) throw new Problem(409, `Millrace-Replay: source ${source}: ${answer.refused}`);
    if (waited >= ASK_FOR_MS) {
      throw new Problem(
        409,
        `Millrace-Replay: request ${answer.wait} of this replay has not come; send requests in the order of their numbers, from 0`,
        { missing: answer.wait },
        { "retry-after": "1" },
      );
    }
    await sleep(ASK_MS);
  }
}

function flag(headers: Headers, name: string): boolean {
  const value = headers.get(name);
  if (value === null || value === "0") return false;
  if (value === "1") return true;
  throw new Problem(400, `${name}: use 1, or leave it out`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
