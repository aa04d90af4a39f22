/** KeyedView: a keyed view on its own page: its figures, and its top or the keys that begin with a text. */
import type { JSX } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import type { View } from "../api/types.ts";
import { Button } from "../parts/button.tsx";
import { Card } from "../parts/card.tsx";
import { go } from "../route.ts";
import { useLive } from "../state/live.ts";
import type { JobViews } from "./choose.ts";
import { Figures } from "./figures.tsx";
import { Listing } from "./listing.tsx";
import { NothingYet } from "./nothing-yet.tsx";
import { OverTime } from "./over-time.tsx";
import { PrefixFilter } from "./prefix-filter.tsx";
import type { Ranked, Shape } from "./shape.ts";
import { Standing } from "./standing.tsx";
import { TopList } from "./top-list.tsx";
import { useTotal } from "./use-total.ts";

export interface KeyedViewProps {
  readonly view: View;
  readonly of: JobViews;
  readonly shape: Shape;
  readonly params: Readonly<Record<string, string>>;
}

export function KeyedView({ view, of, shape, params }: KeyedViewProps): JSX.Element {
  const { view: name } = view;
  const { prefix = "", list } = params;
  const numbers = shape === "numbers";
  const all = !numbers || prefix !== "" || list === "all";
  const show = useCallback(
    (text: string) => {
      const rest = text === "" && list !== undefined ? { list } : {};
      go({ page: "view", view: name, params: { prefix: text, ...rest } }, { replace: true });
    },
    [name, list],
  );
  return (
    <div class="ov-stack">
      {numbers ? <Numbers view={view} of={of} /> : null}
      <Card
        title={all ? "Keys" : "Top"}
        hint={all ? "In the order of the keys" : "By value, the largest first"}
        actions={
          <>
            {numbers && prefix === "" ? (
              <Button
                kind="quiet"
                onClick={() => go({ page: "view", view: name, params: { list: all ? undefined : "all" } })}
              >
                {all ? "Show the top" : "Show all keys"}
              </Button>
            ) : null}
            <PrefixFilter prefix={prefix} onPrefix={show} />
          </>
        }
      >
        {all ? (
          <Listing key={prefix} view={view} job={of.job} prefix={prefix} />
        ) : (
          <Top view={view} of={of} />
        )}
      </Card>
    </div>
  );
}

const ROWS = 25;

function Numbers({ view, of }: Pick<KeyedViewProps, "view" | "of">): JSX.Element {
  const state = useTotal(view.view);
  const top = useLive(view.view, { top: ROWS });
  const keys = useMemo(() => top.entries.slice(0, 3).map(({ key }) => key), [top.entries]);
  return (
    <Card title="Now" actions={<Standing live={state.live} />}>
      <Figures state={state} />
      <OverTime view={view} of={of} state={state} keys={top.loaded ? keys : undefined} />
    </Card>
  );
}

function Top({ view, of }: Pick<KeyedViewProps, "view" | "of">): JSX.Element {
  const { entries, loaded, changed } = useLive(view.view, { top: ROWS });
  if (loaded && entries.length === 0) return <NothingYet job={of.job} view={view.view} />;
  const ranked = entries.filter((entry): entry is typeof entry & Ranked => typeof entry.value === "number");
  return (
    <TopList
      label={`Top ${ROWS} of ${view.view}`}
      view={view.view}
      entries={ranked}
      changed={changed}
      rows={Math.min(ROWS, Math.max(5, ranked.length))}
    />
  );
}
