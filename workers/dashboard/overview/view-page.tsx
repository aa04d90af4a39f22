/** ViewPage: everything of one view: what it holds, as far as one wants to look, and what it is. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { link } from "../route.ts";
import type { JobViews } from "./choose.ts";
import { Definition } from "./definition.tsx";
import { FindView } from "./find-view.tsx";
import { KeyedView } from "./keyed-view.tsx";
import { NothingYet } from "./nothing-yet.tsx";
import { useLookout, useShape } from "./use-shape.ts";
import { windowForm } from "./window-words.ts";
import { WindowedView } from "./windowed-view.tsx";

export interface ViewPageProps {
  readonly view: string;
  readonly params: Readonly<Record<string, string>>;
}

export function ViewPage({ view: name, params }: ViewPageProps): JSX.Element {
  return (
    <div class="ov-page">
      <FindView name={name}>
        {(view, of) => (
          <>
            <header class="ov-head">
              <h1>{view.view}</h1>
              <p>
                {view.window === undefined ? "A value for each key" : windowForm(view.window.windows).words},
                of the job <a href={link({ page: "graph", job: view.job })}>{view.job}</a>
              </p>
            </header>
            <div class="ov-columns">
              <Contents key={view.view} view={view} of={of} params={params} />
              <Definition view={view} of={of} />
            </div>
          </>
        )}
      </FindView>
    </div>
  );
}

interface ContentsProps {
  readonly view: View;
  readonly of: JobViews;
  readonly params: Readonly<Record<string, string>>;
}

function Contents({ view, of, params }: ContentsProps): JSX.Element {
  const shape = useShape(view);
  if (shape === undefined) return <Unknown view={view} of={of} />;
  if (view.kind === "windowed") return <WindowedView view={view} shape={shape} params={params} />;
  return <KeyedView view={view} of={of} shape={shape} params={params} />;
}

function Unknown({ view, of }: Omit<ContentsProps, "params">): JSX.Element {
  const { loaded, problem } = useLookout(view);
  if (!loaded) return <p class="loading">{problem ?? "Loading …"}</p>;
  return <NothingYet job={of.job} view={view.view} />;
}
