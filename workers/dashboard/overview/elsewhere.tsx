/** Elsewhere: what the job's other views know under the same key. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { link } from "../route.ts";
import { useLive } from "../state/live.ts";
import { Value } from "./value.tsx";
import { WindowTime } from "./window-head.tsx";
import { ago, windowForm } from "./window-words.ts";

export function Elsewhere({
  views,
  name,
}: {
  readonly views: readonly View[];
  readonly name: string;
}): JSX.Element {
  return (
    <dl class="ov-definition">
      {views.map((view) => (
        <Line key={view.view} view={view} name={name} />
      ))}
    </dl>
  );
}

const DAY = 86_400_000;

function Line({ view, name }: { readonly view: View; readonly name: string }): JSX.Element {
  const { sizeMs, stepMs, kind } = windowForm(view.window?.windows ?? "");
  const timeless = view.kind === "keyed" || kind === "global" || kind === "count";
  const from = ago(sizeMs === undefined || stepMs === undefined ? DAY : sizeMs + 5 * stepMs);
  const { entries, loaded } = useLive(view.view, timeless ? { key: name } : { key: name, from });
  const last = entries.at(-1);
  return (
    <>
      <dt>
        <a href={link({ page: "key", view: view.view, key: name })}>{view.view}</a>
      </dt>
      <dd>
        {last === undefined ? (
          <span class="ov-nothing">{loaded ? (timeless ? "nothing" : "nothing lately") : "…"}</span>
        ) : (
          <Value value={last.value} />
        )}
        {last?.window === undefined || timeless ? null : (
          <>
            {" "}
            <span class="ov-aside">
              in <WindowTime start={Date.parse(last.window.start)} end={Date.parse(last.window.end)} />
            </span>
          </>
        )}
      </dd>
    </>
  );
}
