/** KeyedNumbers: a view of numbers by key, large: its total, its rate, its history, and its top as it moves. */
import type { JSX } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import type { View } from "../api/types.ts";
import { Card } from "../parts/card.tsx";
import { formatNumber, formatRate } from "../parts/format.ts";
import { go, link, route } from "../route.ts";
import { useLive } from "../state/live.ts";
import type { JobViews } from "./choose.ts";
import { Figures } from "./figures.tsx";
import { NothingYet } from "./nothing-yet.tsx";
import { OverTime } from "./over-time.tsx";
import { PrefixFilter } from "./prefix-filter.tsx";
import { PrefixList } from "./prefix-list.tsx";
import type { Ranked } from "./shape.ts";
import { Standing } from "./standing.tsx";
import { TopList } from "./top-list.tsx";
import { useQuietly } from "./use-quietly.ts";
import { useTotal } from "./use-total.ts";

export interface KeyedNumbersProps {
  readonly view: View;
  readonly of: JobViews;
}

const ROWS = 10;

export function KeyedNumbers({ view, of }: KeyedNumbersProps): JSX.Element {
  const { view: name } = view;
  const state = useTotal(name);
  const top = useLive(name, { top: ROWS });
  const prefix = route.value.params.prefix ?? "";
  const filter = useCallback(
    (text: string) => go({ page: "overview", params: { prefix: text } }, { replace: true }),
    [],
  );
  const ranked = top.entries.filter(
    (entry): entry is typeof entry & Ranked => typeof entry.value === "number",
  );
  const keys = useMemo(() => ranked.slice(0, 3).map(({ key }) => key), [ranked]);
  const told = useQuietly(
    state.total === undefined || state.perSecond === undefined
      ? ""
      : `${name}: ${formatNumber(state.total.total)} in all, ${formatRate(state.perSecond)} a second` +
          (ranked[0] === undefined
            ? ""
            : `, first is ${ranked[0].key} with ${formatNumber(ranked[0].value)}`),
  );
  const empty = top.loaded && ranked.length === 0;
  return (
    <div class="ov-large">
      <p class="visually-hidden" role="status">
        {told}
      </p>
      <Card
        title={<a href={link({ page: "view", view: name })}>{name}</a>}
        level={3}
        class="ov-large-figures"
        actions={<Standing live={state.live} />}
      >
        <Figures state={state} />
        <OverTime view={view} of={of} state={state} keys={top.loaded ? keys : undefined} />
      </Card>
      <Card
        title={prefix === "" ? `Top ${ROWS}` : "Filtered"}
        level={3}
        class="ov-large-top"
        actions={<PrefixFilter prefix={prefix} onPrefix={filter} />}
      >
        {prefix === "" ? (
          <>
            {empty ? (
              <div class="ov-room" style={{ "--ov-rows": ROWS }}>
                <NothingYet job={of.job} view={name} />
              </div>
            ) : (
              <TopList
                label={`Top ${ROWS} of ${name}`}
                view={name}
                entries={ranked}
                changed={top.changed}
                rows={ROWS}
              />
            )}
            <p class="ov-note">
              <a href={link({ page: "view", view: name, params: { list: "all" } })}>All keys</a>
            </p>
          </>
        ) : (
          <PrefixList view={name} prefix={prefix} rows={ROWS} />
        )}
      </Card>
    </div>
  );
}
