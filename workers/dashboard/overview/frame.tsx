/** Frame: the card around any view that is shown small. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { Card } from "../parts/card.tsx";
import { link } from "../route.ts";
import type { LiveState } from "../state/live.ts";
import { Standing } from "./standing.tsx";

/** Rows of a list in a card. */
export const CARD_ROWS = 5;

export interface FrameProps {
  readonly view: View;
  readonly hint: string;
  readonly live: LiveState;
  readonly children: JSX.Element;
}

/** Its title goes to its page. */
export function Frame({ view, hint, live, children }: FrameProps): JSX.Element {
  return (
    <Card
      title={<a href={link({ page: "view", view: view.view })}>{view.view}</a>}
      level={3}
      hint={hint}
      class="ov-card"
      actions={<Standing live={live} />}
    >
      {children}
    </Card>
  );
}
