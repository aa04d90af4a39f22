/** Ledger: what became of the events that went into a slow stage since somebody began to feed it. */
import type { Flow, Health } from "../../api/types.ts";
import type { SlowStage } from "../sources.ts";

/** Of the stage, and of what reads it. accepted = applied + late + dead + inFlight. */
export interface Ledger {
  readonly accepted: number;
  readonly applied: number;
  readonly late: number;
  readonly dead: number;
  readonly inFlight: number;
  /** Of what the stage has emitted, what its view has counted. */
  readonly counted: number;
}

/** Since the deployment began; undefined where it does not tell what flows. */
export function ledgerOf({ flows }: Health, { source, stage, view }: SlowStage): Ledger | undefined {
  const into = flows?.find((flow) => flow.source === source && flow.operator === stage);
  if (into === undefined) return undefined;
  const out: Flow | undefined = flows?.find((flow) => flow.source === stage && flow.operator === view);
  const { accepted, applied, late, dead, inFlight } = into;
  return { accepted, applied, late, dead, inFlight, counted: out?.applied ?? 0 };
}

/** What has happened since: what was in flight then is counted with it, or the sum would not come out. */
export function since(before: Ledger, now: Ledger): Ledger {
  return {
    accepted: before.inFlight + now.accepted - before.accepted,
    applied: now.applied - before.applied,
    late: now.late - before.late,
    dead: now.dead - before.dead,
    inFlight: now.inFlight,
    counted: now.counted - before.counted,
  };
}

/**
 * The same with what was accepted and no shard has heard of yet: it is in flight.
 *
 * @param accepted by the answers that the page got, and what was in flight before.
 */
export function withUnheard(ledger: Ledger, accepted: number): Ledger {
  const unheard = Math.max(0, accepted - ledger.accepted);
  return { ...ledger, accepted: ledger.accepted + unheard, inFlight: ledger.inFlight + unheard };
}

/** Whether everything has been worked off. */
export function isEven({ accepted, inFlight }: Ledger): boolean {
  return accepted > 0 && inFlight === 0;
}
