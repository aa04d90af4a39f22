/** Value: any value of a view, as far as what it is shows in itself. */
import type { JSX } from "preact";
import { formatCompact, formatNumber, formatValue } from "../parts/format.ts";
import { KeyText } from "../parts/key-text.tsx";
import type { Tone } from "../parts/pill.tsx";
import { Pill } from "../parts/pill.tsx";
import { Time } from "../parts/time.tsx";
import { isRecord, momentOf, rankedOf } from "./shape.ts";

export interface ValueProps {
  readonly value: unknown;
  /** In a table there is room for a line, on a page for all of it. */
  readonly room?: "line" | "page";
  /** Two places behind the point, so that numbers under each other line up. */
  readonly places?: boolean;
}

const twoPlaces = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export function Value({ value, room = "line", places = false }: ValueProps): JSX.Element {
  const moment = momentOf(value);
  if (moment !== undefined) return <Time at={moment} form={room === "page" ? "date" : "clock"} />;
  if (typeof value === "number") {
    const text = places
      ? twoPlaces.format(value)
      : room === "page"
        ? formatNumber(value)
        : formatCompact(value);
    return (
      <data value={value} title={formatNumber(value)}>
        {text}
      </data>
    );
  }
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (value === null || value === undefined) return <span class="ov-nothing">nothing</span>;
  const ranked = rankedOf(value);
  if (ranked !== undefined) {
    return (
      <ol class="ov-inner">
        {ranked.slice(0, room === "page" ? 100 : 3).map(({ key, value }) => (
          <li key={key}>
            <KeyText text={key} max={40} /> <data value={value}>{formatCompact(value)}</data>
          </li>
        ))}
      </ol>
    );
  }
  if (isRecord(value) && room === "page") return <Fields record={value} />;
  return <KeyText text={formatValue(value)} max={room === "page" ? 2_000 : 60} />;
}

function Fields({ record }: { readonly record: Readonly<Record<string, unknown>> }): JSX.Element {
  return (
    <dl class="ov-fields">
      {Object.entries(record).map(([name, value]) => (
        <div key={name}>
          <dt>
            <KeyText text={name} />
          </dt>
          <dd>
            <Value value={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const BAD = /^(raised|open|firing|failed|failing|error|critical|high|down|alert|alarm)$/i;
const GOOD = /^(resolved|closed|ok|okay|cleared|normal|up|good|healthy|low)$/i;

/** A state in its own word. Only well-known words get a colour: of the others the page cannot know what they mean. */
export function State({ text }: { readonly text: string }): JSX.Element {
  const tone: Tone = BAD.test(text) ? "bad" : GOOD.test(text) ? "good" : "quiet";
  return (
    <Pill tone={tone}>
      <KeyText text={text} max={24} />
    </Pill>
  );
}
