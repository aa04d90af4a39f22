/** KeyPage: one key of a view: what it is now, how it came to be, and what else is known under it. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { Card } from "../parts/card.tsx";
import { KeyText } from "../parts/key-text.tsx";
import { link } from "../route.ts";
import { key as accessKey } from "../state/keys.ts";
import type { JobViews } from "./choose.ts";
import { Command } from "./command.tsx";
import { getLine } from "./curl.ts";
import { Elsewhere } from "./elsewhere.tsx";
import { FindView } from "./find-view.tsx";
import { KeyHistory } from "./key-history.tsx";
import { KeyNow } from "./key-now.tsx";

export interface KeyPageProps {
  readonly view: string;
  /** The key; `key` itself is taken by the framework. */
  readonly name: string;
}

export function KeyPage({ view: viewName, name }: KeyPageProps): JSX.Element {
  return (
    <div class="ov-page">
      <FindView name={viewName}>
        {(view, of) => <Found key={name} view={view} of={of} name={name} />}
      </FindView>
    </div>
  );
}

interface FoundProps {
  readonly view: View;
  readonly of: JobViews;
  readonly name: string;
}

function Found({ view, of, name }: FoundProps): JSX.Element {
  const path = `${view.links.self}?key=${encodeURIComponent(name.toWellFormed())}`;
  const others = of.views.filter((other) => other.view !== view.view);
  return (
    <>
      <header class="ov-head">
        <h1>
          <KeyText text={name} max={240} />
        </h1>
        <p>
          a key of <a href={link({ page: "view", view: view.view })}>{view.view}</a>
        </p>
      </header>
      <div class="ov-columns">
        <div class="ov-stack">
          {view.kind === "keyed" ? <KeyNow view={view} of={of} name={name} /> : null}
          <KeyHistory view={view} of={of} name={name} />
        </div>
        <div class="ov-stack">
          {others.length === 0 ? null : (
            <Card title="In the job's other views">
              <Elsewhere views={others} name={name} />
            </Card>
          )}
          <Card title="As JSON">
            <p>
              <a href={path}>The address of this key</a>
            </p>
            <Command line={getLine(location.origin, path, accessKey.value !== undefined)} />
          </Card>
        </div>
      </div>
    </>
  );
}
