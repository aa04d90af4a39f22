/** Definition: what a view is, where it is to be had as JSON, and how to follow it from a terminal. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { Card } from "../parts/card.tsx";
import { formatNumber } from "../parts/format.ts";
import { key } from "../state/keys.ts";
import type { JobViews } from "./choose.ts";
import { sourcesOf } from "./choose.ts";
import { Command } from "./command.tsx";
import { followLine, getLine } from "./curl.ts";
import { useShape } from "./use-shape.ts";
import { span, windowForm } from "./window-words.ts";

export interface DefinitionProps {
  readonly view: View;
  readonly of: JobViews;
}

export function Definition({ view, of }: DefinitionProps): JSX.Element {
  const { window, links } = view;
  const operator = of.job.operators.find((one) => one.operator === view.view);
  const withKey = key.value !== undefined;
  const { origin } = location;
  const numbers = useShape(view) === "numbers";
  const query = `?${numbers ? "top=10" : "limit=10"}${window === undefined ? "" : "&from=-1h"}`;
  return (
    <div class="ov-stack">
      <Card title="What it is" class="ov-about">
        <dl class="ov-definition">
          <dt>Kind</dt>
          <dd>
            {view.kind}
            {operator === undefined || window !== undefined ? "" : `, ${operator.kind}`}
          </dd>
          <dt>Fed by</dt>
          <dd>{sourcesOf(of.job, view.view).join(", ") || "nothing from outside"}</dd>
          <dt>Shards</dt>
          <dd>{view.shards}</dd>
          {operator?.maxKeys === undefined ? null : (
            <>
              <dt>Keys</dt>
              <dd>{formatNumber(operator.maxKeys)} a shard, at most</dd>
            </>
          )}
          {window === undefined ? null : (
            <>
              <dt>Windows</dt>
              <dd>
                {windowForm(window.windows).words} (<code>{window.windows}</code>)
              </dd>
              <dt>Time</dt>
              <dd>{window.time === "event" ? "of the events" : "of the shard's clock"}</dd>
              <dt>Lateness</dt>
              <dd>
                {window.latenessMs === 0 ? "none: over is final" : `${span(window.latenessMs)} after its end`}
              </dd>
              <dt>Kept</dt>
              <dd>{span(window.retentionMs)}</dd>
            </>
          )}
        </dl>
      </Card>
      <Card title="As JSON">
        <p>
          <a href={`${links.self}${query}`}>{`${links.self}${query}`}</a>
        </p>
        <Command line={getLine(origin, `${links.self}${query}`, withKey)} />
        <p class="hint">Followed as it changes:</p>
        <Command line={followLine(origin, `${links.self}/live${query}`, withKey)} />
      </Card>
    </div>
  );
}
