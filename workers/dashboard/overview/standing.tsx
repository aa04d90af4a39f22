/** Standing: whether what a card shows is live, told only when it is not. */
import type { JSX } from "preact";
import { Pill } from "../parts/pill.tsx";
import { Time } from "../parts/time.tsx";
import type { LiveState } from "../state/live.ts";

export function Standing({ live }: { readonly live: LiveState }): JSX.Element | null {
  const { status, problem, loaded, changedAt } = live;
  if (status === "refused") return <Pill tone="bad">{problem ?? "refused"}</Pill>;
  if (status === "live") return problem === undefined ? null : <Pill tone="busy">{problem}</Pill>;
  if (!loaded) return null;
  return (
    <Pill tone="busy" title={problem ?? "It connects again by itself, and catches up."}>
      not live
      {changedAt === undefined ? (
        ""
      ) : (
        <>
          {" "}
          since <Time at={changedAt} />
        </>
      )}
    </Pill>
  );
}
