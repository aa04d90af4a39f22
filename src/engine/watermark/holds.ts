/**
 * Holds: how the sender of a source's segments keeps the frontier back while it sends; see frontier.ts.
 *
 * All that is sent within about a second shares one hold, so that the coordinator hears of two calls a second and not of
 * two a request. Nobody waits for those calls: the frontier stays a little behind the clock, so that they have time.
 */
import { randomId } from "../producer.ts";
import type { SegmentTime } from "../segment.ts";
import type { ClosedHold, HoldReport, OpenedHold } from "./protocol.ts";
import { WATERMARK_VERSION } from "./protocol.ts";

/** How long requests join a hold, ms. */
export const HOLD_MS = 1_000;
const HOLD_DIGITS = 16;

export interface HoldsOptions {
  readonly source: string;
  readonly lifetime?: number;
  /** Hex digits that nobody else has; random by default. */
  readonly newId?: () => string;
}

/** `lost`: the queue has surely not taken it. `unsure`: nobody knows. */
export type SendOutcome = "taken" | "lost" | "unsure";

/** Hands a report to the coordinator, again and again if need be; does not throw. Each caller brings its own: on Workers one request may not use what belongs to another. */
export type Reporter = (report: HoldReport) => void;

/** A request, from before its arrival is fixed until its outcome is known. */
export interface Held {
  readonly hold: string;
  /** The earliest arrival that a segment under it may have, epoch milliseconds. */
  readonly start: number;
  /** The number of its next segment. Taken by `take`, in the same turn. */
  readonly next: number;
  /** `segments` are about to be sent. */
  take(segments: number): void;
  /** Nothing more happens to what was taken. `taken` by the queue, by default. */
  leave(outcome?: SendOutcome): void;
}

/** What the identity of a request says of event time. */
export function timeOf(held: Held | undefined, watermark?: number): { readonly time?: SegmentTime } {
  if (held === undefined) return {};
  return { time: { hold: held.hold, n: held.next, ...(watermark === undefined ? {} : { watermark }) } };
}

interface Open {
  readonly hold: string;
  readonly start: number;
  readonly until: number;
  inside: number;
  sent: number;
  readonly lost: number[];
  readonly unsure: number[];
}

export class Holds {
  readonly #options: HoldsOptions;
  #current: Open | undefined;

  constructor(options: HoldsOptions) {
    this.#options = options;
  }

  /** Before the arrival of a request is fixed. @param now epoch milliseconds. */
  enter(now: number, report: Reporter): Held {
    const { source, lifetime = HOLD_MS } = this.#options;
    this.close(now, report);
    if (this.#current === undefined) {
      const hold = this.#options.newId?.() ?? randomId().slice(0, HOLD_DIGITS);
      this.#current = { hold, start: now, until: now + lifetime, inside: 0, sent: 0, lost: [], unsure: [] };
      const opened: OpenedHold = { source, hold, start: now, until: now + lifetime };
      report({ v: WATERMARK_VERSION, opened: [opened], closed: [] });
    }
    const open = this.#current;
    open.inside++;
    return this.#held(open, report);
  }

  /** Closes the hold that is over, if nobody is inside any more. Call it when `closesAt` has come. */
  close(now: number, report: Reporter): void {
    const open = this.#current;
    if (open === undefined || now < open.until) return;
    this.#current = undefined;
    if (open.inside === 0) this.#report(open, report);
  }

  /** When the current hold is over, epoch milliseconds; undefined when there is none. */
  get closesAt(): number | undefined {
    return this.#current?.until;
  }

  #held(open: Open, report: Reporter): Held {
    const mine: number[] = [];
    return {
      hold: open.hold,
      start: open.start,
      get next() {
        return open.sent;
      },
      take: (segments) => {
        for (let n = 0; n < segments; n++) mine.push(open.sent++);
      },
      leave: (outcome = "taken") => {
        if (outcome !== "taken") open[outcome].push(...mine);
        open.inside--;
        // The one that was replaced, or closed, while this one was inside.
        if (open.inside === 0 && this.#current !== open) this.#report(open, report);
      },
    };
  }

  #report({ hold, sent, lost, unsure }: Open, report: Reporter): void {
    const { source } = this.#options;
    const closed: ClosedHold = { source, hold, sent, lost, unsure };
    report({ v: WATERMARK_VERSION, opened: [], closed: [closed] });
  }
}
