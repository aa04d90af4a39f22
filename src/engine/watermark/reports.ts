/** Reports: what those that take segments off a queue say to the coordinator before they acknowledge. */
import type { Plan } from "../../plan.ts";
import type { SealedSegment } from "../envelope.ts";
import type { CommitReport, CommittedSegment } from "./protocol.ts";
import { WATERMARK_VERSION } from "./protocol.ts";

/** How executors reach the coordinator of a job. */
export interface WatermarkClient {
  /** Durable when it resolves. */
  committed(job: string, report: CommitReport): Promise<void>;
}

/** What is to be said of segments that are committed, or never will be. @param stage who says it, unless the source's own consumer. */
export function committedOf(
  plan: Plan,
  source: string,
  segments: readonly SealedSegment[],
  stage?: string,
): CommittedSegment[] {
  const own = plan.sources.get(source);
  if (own === undefined) return [];
  return segments.flatMap(({ time, arrival, parts }): CommittedSegment[] => {
    if (time === undefined) return [];
    const { hold, n, watermark } = time;
    const stages = parts
      .map(({ operator }) => operator)
      .filter((operator) => plan.operators.get(operator)?.kind === "stage");
    // A stage hears of segments that hold nothing for it as well.
    if (stage !== undefined && !stages.includes(stage)) return [];
    return [
      {
        ...{ source, hold, n, arrival },
        ...(watermark === undefined ? {} : { watermark }),
        ...(stage === undefined ? (stages.length === 0 ? {} : { stages }) : { stage }),
      },
    ];
  });
}

/** What is to be said of segments that nobody will ever commit: no stage has a part in them any more. */
export function buriedOf(plan: Plan, source: string, segments: readonly SealedSegment[]): CommittedSegment[] {
  return committedOf(
    plan,
    source,
    segments.map((segment) => ({ ...segment, parts: [] })),
  );
}

/** Tells the coordinators of all jobs that have a part in it. @throws when one cannot be told. */
export async function report(
  plan: Plan,
  client: WatermarkClient | undefined,
  segments: readonly CommittedSegment[],
): Promise<void> {
  if (client === undefined || segments.length === 0) return;
  const byJob = new Map<string, CommittedSegment[]>();
  for (const segment of segments) {
    const { job } = plan.sources.get(segment.source) ?? {};
    if (job === undefined) continue;
    const list = byJob.get(job) ?? [];
    byJob.set(job, list);
    list.push(segment);
  }
  await Promise.all(
    [...byJob].map(([job, list]) => client.committed(job, { v: WATERMARK_VERSION, segments: list })),
  );
}
