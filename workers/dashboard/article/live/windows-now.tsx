/** WindowsNow: the last windows of a view, with the key that leads in each. */
import type { JSX } from "preact";
import type { Entry } from "../../api/types.ts";
import { formatValue } from "../../parts/format.ts";
import { KeyText } from "../../parts/key-text.tsx";
import { Time } from "../../parts/time.tsx";
import { link } from "../../route.ts";
import { idOf, useLive } from "../../state/live.ts";

const SHOWN = 3;

export function WindowsNow({ view }: { readonly view: string }): JSX.Element {
  const { entries, loaded } = useLive(view, { top: 1, from: "-10m" });
  const last = entries.slice(-SHOWN);
  return (
    <>
      <a href={link({ page: "view", view })}>{view}</a>
      {last.length === 0 ? (
        <span class="need-line">{loaded ? "Nothing in the last ten minutes." : "…"}</span>
      ) : (
        last.map((entry) => <Leader key={idOf(entry)} entry={entry} />)
      )}
    </>
  );
}

function Leader({ entry: { key, window, value, final } }: { readonly entry: Entry }): JSX.Element {
  return (
    <span class="need-line">
      {window === undefined ? "" : <Time at={window.start} form="minute" />}: <KeyText text={key} max={18} />,{" "}
      {formatValue(value)}
      {final === true ? ", final" : ""}
    </span>
  );
}
