/** KeyNow: the value of a key, live. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { View } from "../api/types.ts";
import { Card } from "../parts/card.tsx";
import { formatRate } from "../parts/format.ts";
import { useNow } from "../parts/time.tsx";
import { useLive } from "../state/live.ts";
import type { JobViews } from "./choose.ts";
import { companionOf } from "./choose.ts";
import { NothingYet } from "./nothing-yet.tsx";
import { RateChart } from "./rate-chart.tsx";
import { RateMeter } from "./rate-meter.ts";
import { Standing } from "./standing.tsx";
import { useQuietly } from "./use-quietly.ts";
import { Value } from "./value.tsx";

export interface KeyNowProps {
  readonly view: View;
  readonly of: JobViews;
  readonly name: string;
}

export function KeyNow({ view, of, name }: KeyNowProps): JSX.Element {
  const live = useLive(view.view, { key: name });
  const [entry] = live.entries;
  const value = entry?.value;
  const meter = useMeter(typeof value === "number" && live.status === "live" ? value : undefined);
  const told = useQuietly(typeof value === "number" ? `${value} now` : "");
  const large = typeof value === "number" || typeof value === "boolean";
  return (
    <Card title="Now" actions={<Standing live={live} />}>
      <p class="visually-hidden" role="status">
        {told}
      </p>
      {entry === undefined ? (
        live.loaded ? (
          <NothingYet job={of.job} view={view.view} title="This key was never seen" />
        ) : (
          <p class="ov-now">–</p>
        )
      ) : (
        <div class={large ? "ov-now" : "ov-now ov-now-other"}>
          <Value value={value} room="page" />
        </div>
      )}
      {typeof value === "number" ? <p class="ov-note">{formatRate(meter.perSecond ?? 0)}/s now</p> : null}
      {typeof value === "number" && companionOf(view, of) === undefined ? (
        <RateChart curve={meter.curve} label="A second, since this page was opened" />
      ) : null}
    </Card>
  );
}

/** @param value undefined while it is not known, or not live. */
function useMeter(value: number | undefined): RateMeter {
  const [meter] = useState(() => new RateMeter());
  const now = useNow();
  useEffect(() => {
    if (value === undefined) meter.pause();
    else meter.see(Date.now(), value);
  }, [meter, value, now]);
  return meter;
}
