/** Ink: the colours and the type that a canvas draws with, as the style sheets have them at a place in the page. */

export interface Ink {
  /** Of the parts of a bar, the first one strongest; the last is for the rest. */
  readonly parts: readonly string[];
  /** The same for what can still change. */
  readonly open: readonly string[];
  readonly line: string;
  readonly text: string;
  readonly font: string;
  /** Of the type, px. */
  readonly size: number;
}

export const PARTS = 4;

export function inkOf(place: HTMLElement): Ink {
  const probe = document.createElement("span");
  probe.hidden = true;
  place.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const each = (name: string) => Array.from({ length: PARTS }, (_, i) => colour(`${name}-${i + 1}`));
  const { fontSize, fontFamily } = getComputedStyle(place);
  const size = Number.parseFloat(fontSize);
  const ink: Ink = {
    parts: each("--ov-part"),
    open: each("--ov-open"),
    line: colour("--ov-grid"),
    text: colour("--ov-axis"),
    font: `${size}px ${fontFamily}`,
    size,
  };
  probe.remove();
  return ink;
}
