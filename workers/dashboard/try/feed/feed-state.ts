/** FeedState: what a feeder has sent so far, and how it was answered. */
import type { ApiProblem } from "../../api/problem.ts";

export interface FeedState {
  readonly running: boolean;
  /** Events that are durable. */
  readonly accepted: number;
  /** Events that the source would not have. */
  readonly rejected: number;
  /** Events in requests that nobody answered: whether they arrived is not known. */
  readonly unanswered: number;
  /** When requests were refused with 429 or 503, epoch ms, the last of them. */
  readonly refusals: readonly number[];
  readonly refusalCount: number;
  /** How long the last requests took, ms. */
  readonly posts: readonly number[];
  /** What was accepted in the last seconds. */
  readonly lately: readonly { readonly at: number; readonly events: number }[];
  readonly startedAt: number;
  /** Until when it sends nothing, since it was told so, epoch ms. */
  readonly waitingUntil?: number;
  /** Why it waits or has stopped by itself. */
  readonly problem?: string;
}

export const IDLE: FeedState = {
  running: false,
  accepted: 0,
  rejected: 0,
  unanswered: 0,
  refusals: [],
  refusalCount: 0,
  posts: [],
  lately: [],
  startedAt: 0,
};

const LATELY_MS = 5_000;
const MOST_POSTS = 100;
const MOST_REFUSALS = 200;

export function withAccepted(
  state: FeedState,
  { now, ms, accepted, rejected }: Record<"now" | "ms" | "accepted" | "rejected", number>,
): FeedState {
  return {
    ...state,
    accepted: state.accepted + accepted,
    rejected: state.rejected + rejected,
    posts: [...state.posts, ms].slice(-MOST_POSTS),
    lately: [...state.lately.filter(({ at }) => at > now - LATELY_MS), { at: now, events: accepted }],
  };
}

/** It was told to try again later. */
export function withRefusal(state: FeedState, { detail }: ApiProblem, now: number, until: number): FeedState {
  return {
    ...state,
    refusals: [...state.refusals, now].slice(-MOST_REFUSALS),
    refusalCount: state.refusalCount + 1,
    waitingUntil: Math.max(until, state.waitingUntil ?? 0),
    problem: detail,
  };
}

/** Events accepted a second, of late. */
export function acceptedRate({ lately, startedAt }: FeedState, now: number): number {
  const recent = lately.filter(({ at }) => at > now - LATELY_MS);
  const span = Math.min(LATELY_MS, Math.max(1_000, now - startedAt));
  return (recent.reduce((sum, { events }) => sum + events, 0) / span) * 1_000;
}

/** The one in the middle; undefined when there is none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
