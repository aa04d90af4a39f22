/** LineItem: one line of the terminal with its way: accepted, queued, applied by which shard, and what the views say now. */
import type { ComponentChildren, JSX } from "preact";
import { Fragment } from "preact";
import { Button } from "../../parts/button.tsx";
import { formatClock, formatSpan, formatValue } from "../../parts/format.ts";
import { KeyText } from "../../parts/key-text.tsx";
import { link } from "../../route.ts";
import type { Accepted, Line, ShownValue, Way, WayShard } from "./line.ts";

export interface LineItemProps {
  readonly line: Line;
  readonly onAgain: () => void;
}

export function LineItem({ line, onAgain }: LineItemProps): JSX.Element {
  const { text, source, at, state } = line;
  return (
    <li class="try-line">
      <p class="try-typed">
        <span class="try-prompt" aria-hidden="true">
          {source} ❯
        </span>
        <KeyText text={text} max={200} />
        <span class="try-clock">{formatClock(at)}</span>
      </p>
      <ul class="try-way">
        {state.step === "waiting" ? <Step sign="wait">waiting for the lines before it</Step> : null}
        {state.step === "sent" ? <Step sign="wait">sent …</Step> : null}
        {state.step === "refused" ? (
          <Step sign="bad">
            {state.retryAfter === undefined ? "rejected: " : "refused for now: "}
            <KeyText text={state.reason} max={400} />
            {state.retryAfter === undefined ? null : (
              <>
                {` Retry-After: ${state.retryAfter} s. `}
                <Again onAgain={onAgain} />
              </>
            )}
          </Step>
        ) : null}
        {state.step === "unanswered" ? (
          <Step sign="bad">
            {`${state.reason} The line is kept: sent again it counts once, even if it had arrived. `}
            <Again onAgain={onAgain} />
          </Step>
        ) : null}
        {state.step === "accepted" ? <AcceptedSteps source={source} state={state} /> : null}
      </ul>
    </li>
  );
}

function Again({ onAgain }: { readonly onAgain: () => void }): JSX.Element {
  return (
    <Button kind="quiet" class="try-again" onClick={onAgain}>
      Send again
    </Button>
  );
}

function AcceptedSteps({
  source,
  state,
}: {
  readonly source: string;
  readonly state: Accepted;
}): JSX.Element {
  const { ms, events, ways, values, trouble, end } = state;
  const own = new Set(ways.map(({ operator }) => operator));
  const beyond = values.filter(({ view }) => !own.has(view));
  return (
    <>
      <Step sign="good">
        accepted <span class="try-dim">202, </span>
        {formatSpan(ms)}
        <span class="try-dim">
          {`, durable in the queue of ${source}${events === 1 ? "" : `: ${events} events`}`}
        </span>
      </Step>
      {ways.length === 0 && trouble === undefined ? <Step sign="wait">queued …</Step> : null}
      {ways.map((way) => (
        <OperatorStep
          key={way.operator}
          way={way}
          values={values.filter(({ view }) => view === way.operator)}
          end={end}
        />
      ))}
      {beyond.map((value) => (
        <Step key={`${value.view}\n${value.key}`} sign="good">
          {`${value.view} `}
          <span class="try-dim">reads what those emit: </span>
          <Value value={value} />
        </Step>
      ))}
      {trouble === undefined ? null : <Step sign="bad">{trouble}</Step>}
      {end === "in-flight" ? (
        <Step sign="busy">
          still in flight after a minute; it is not lost: the <a href={link({ page: "graph" })}>graph</a>{" "}
          shows where it waits
        </Step>
      ) : null}
    </>
  );
}

function OperatorStep({
  way,
  values,
  end,
}: {
  readonly way: Way;
  readonly values: readonly ShownValue[];
  readonly end: Accepted["end"];
}): JSX.Element {
  const { operator, applied, shards, seenMs } = way;
  if (!applied) {
    return (
      <Step sign={end === undefined ? "wait" : "busy"}>
        {`${operator} `}
        <span class="try-dim">{shards.length === 0 ? "queued …" : `queued for ${shardsText(shards)} …`}</span>
      </Step>
    );
  }
  const after = Math.max(...shards.map(({ afterMs = Number.NaN }) => afterMs));
  const lost = shards.reduce((sum, { late, dead }) => ({ late: sum.late + late, dead: sum.dead + dead }), {
    late: 0,
    dead: 0,
  });
  return (
    <Step sign={lost.dead > 0 || lost.late > 0 ? "bad" : "good"}>
      {`${operator} `}
      <span class="try-dim">{shards.length === 0 ? "dropped it" : `applied by ${shardsText(shards)} `}</span>
      {shards.length === 0 || Number.isNaN(after) ? null : (
        <span title={`By the server's clocks. This page knew ${formatSpan(seenMs ?? 0)} after Enter.`}>
          {formatSpan(after)}
          <span class="try-dim"> after it came</span>
        </span>
      )}
      {lost.late > 0 ? ` ${lost.late} late ` : null}
      {lost.dead > 0 ? ` ${lost.dead} dead-lettered ` : null}
      {values.map((value) => (
        <Fragment key={value.key}>
          {" "}
          <Value value={value} />
        </Fragment>
      ))}
    </Step>
  );
}

function Value({ value }: { readonly value: ShownValue }): JSX.Element {
  const { view, key, window } = value;
  return (
    <a class="try-value" href={link({ page: "key", view, key })}>
      <KeyText text={key} max={32} />
      {" = "}
      <strong>
        <KeyText text={formatValue(value.value)} max={60} />
      </strong>
      {window === undefined ? null : (
        <span class="try-dim">{` since ${formatClock(window.start, { seconds: false })}`}</span>
      )}
    </a>
  );
}

type Sign = "good" | "bad" | "busy" | "wait";

const SIGNS: Readonly<Record<Sign, string>> = { good: "✓", bad: "✗", busy: "!", wait: "·" };

function Step({
  sign,
  children,
}: {
  readonly sign: Sign;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <li class={`try-step try-step-${sign}`}>
      <span class="try-sign" aria-hidden="true">
        {SIGNS[sign]}
      </span>
      <span>{children}</span>
    </li>
  );
}

function shardsText(shards: readonly WayShard[]): string {
  const numbers = shards.map(({ shard }) => shard).join(", ");
  return shards.length === 1 ? `shard ${numbers}` : `shards ${numbers}`;
}
