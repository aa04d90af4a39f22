/** KeyText: a text that anybody may have sent, shown as text: nothing in it is markup, hides, or moves what is beside it. */
import type { JSX } from "preact";
import { visible } from "./format.ts";

export interface KeyTextProps {
  readonly text: string;
  /** Characters shown; 80 by default. */
  readonly max?: number;
}

/** A tooltip shows all of it, but not a megabyte of it. */
const TITLE_MAX = 1_000;

export function KeyText({ text, max = 80 }: KeyTextProps): JSX.Element {
  if (text === "") return <bdi class="key-text key-text-empty">(empty)</bdi>;
  const { pieces, cut } = visible(text, max);
  const whole = cut ? visible(text, TITLE_MAX).pieces.map((piece) => piece.text) : undefined;
  return (
    <bdi class="key-text" title={whole?.join("")}>
      {pieces.map(({ text, stands }) => (stands ? <span class="unseen">{text}</span> : text))}
      {cut ? "…" : ""}
    </bdi>
  );
}
