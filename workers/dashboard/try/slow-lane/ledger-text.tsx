/** LedgerText: accepted = applied + in flight, in numbers. */
import type { JSX } from "preact";
import { formatNumber } from "../../parts/format.ts";
import type { Ledger } from "./ledger.ts";

export interface LedgerTextProps {
  /** By the answers that this page got. */
  readonly accepted: number;
  readonly ledger: Ledger | undefined;
  /** Everything has been worked off. */
  readonly even: boolean;
}

export function LedgerText({ accepted, ledger, even }: LedgerTextProps): JSX.Element {
  if (accepted === 0 || ledger === undefined) {
    return (
      <div class="try-ledger">
        <p>accepted = applied + in flight</p>
        <p class="hint">
          What was answered with 202 is in the queue or has been worked off, at every moment: begin, and see
          the sum come out.
        </p>
      </div>
    );
  }
  const { applied, late, dead, inFlight, counted } = ledger;
  const others = ledger.accepted - accepted;
  return (
    <div class="try-ledger">
      <p>
        <Amount name="accepted">{ledger.accepted}</Amount>
        {" = "}
        <Amount name="applied">{applied}</Amount>
        {late > 0 ? (
          <>
            {" "}
            + <Amount name="late">{late}</Amount>
          </>
        ) : null}
        {dead > 0 ? (
          <>
            {" "}
            + <Amount name="dead">{dead}</Amount>
          </>
        ) : null}
        {" + "}
        <Amount name="in flight">{inFlight}</Amount>
      </p>
      <p class="hint" role="status">
        {even
          ? `All ${formatNumber(accepted)} events that this page was told 202 for have been worked off, and the view has counted ${formatNumber(counted)} more: none lost, none twice.`
          : `Since you began: this page was told 202 for ${formatNumber(accepted)} events; applied and in flight are the shards' own counts.`}
        {others > 0 ? ` In these numbers are ${formatNumber(others)} of others, or of before.` : ""}
      </p>
    </div>
  );
}

function Amount({ name, children }: { readonly name: string; readonly children: number }): JSX.Element {
  return (
    <span class="try-number">
      <span class="try-number-value" data-ledger={name}>
        {formatNumber(children)}
      </span>{" "}
      <span class="try-number-name">{name}</span>
    </span>
  );
}
