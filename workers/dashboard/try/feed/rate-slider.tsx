/** RateSlider: sets how many events a second are sent. */
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { formatNumber } from "../../parts/format.ts";
import { positionOf, rateOf, STEPS } from "./rates.ts";

export interface RateSliderProps {
  readonly label: string;
  readonly value: number;
  readonly max: number;
  readonly onChange: (rate: number) => void;
}

export function RateSlider({ label, value, max, onChange }: RateSliderProps): JSX.Element {
  const id = useId();
  return (
    <div class="field try-rate">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={STEPS}
        value={positionOf(value, max)}
        aria-valuetext={`${formatNumber(value)} a second`}
        onInput={(event) => onChange(rateOf(Number(event.currentTarget.value), max))}
      />
      <output for={id}>{formatNumber(value)}/s</output>
    </div>
  );
}
