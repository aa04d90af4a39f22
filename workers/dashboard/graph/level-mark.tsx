/** LevelMark: how hard something is pressed, as a sign, a colour and a word. */
import type { JSX } from "preact";
import type { Level, Pressure } from "./pressure.ts";

const SIGNS: Readonly<Record<Level, string>> = {
  ok: "✓",
  filling: "◐",
  busy: "▲",
  over: "✕",
  silent: "?",
  unknown: "…",
};

export function LevelMark({ pressure }: { readonly pressure: Pressure }): JSX.Element {
  const { level, word, reason } = pressure;
  return (
    <span class={`graph-level level-${level}`} title={reason}>
      <span class="graph-level-sign" aria-hidden="true">
        {SIGNS[level]}
      </span>
      {word}
    </span>
  );
}

const LEGEND: readonly (readonly [Level, string, string])[] = [
  ["ok", "ok", "nothing is held up"],
  ["filling", "filling", "its queue is half way to its mark, or past that"],
  ["busy", "busy", "a shard takes nothing in until what it emits has left"],
  ["over", "over its mark, refuses (429)", "senders are asked to come back later"],
  ["silent", "silent", "a shard does not answer"],
];

export function Legend(): JSX.Element {
  return (
    <dl class="graph-legend" aria-label="What the signs mean">
      {LEGEND.map(([level, word, meaning]) => (
        <div key={level}>
          <dt>
            <LevelMark pressure={{ level, word, reason: meaning }} />
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
      <div>
        <dt>
          <svg class="graph-legend-line" viewBox="0 0 56 12" aria-hidden="true">
            <path class="graph-edge level-ok" d="M0,6 H56" stroke-width={2} />
            <path class="graph-dashes pace-steady" d="M0,6 H56" />
          </svg>
          moving
        </dt>
        <dd>events flow; the more, the thicker the line</dd>
      </div>
    </dl>
  );
}
