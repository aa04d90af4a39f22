/** Top: the name, where one can go, and whether the page is connected. */
import type { JSX } from "preact";
import { Button } from "../parts/button.tsx";
import type { Route, Target } from "../route.ts";
import { link, route } from "../route.ts";
import { key, keyRefusal, openKeyDialog } from "../state/keys.ts";
import { Connection } from "./connection.tsx";
import { ThemeButton } from "./theme-button.tsx";

interface Place {
  readonly name: string;
  readonly target: Target;
  /** The pages at which one is there. */
  readonly pages: readonly Route["page"][];
}

const PLACES: readonly Place[] = [
  { name: "Overview", target: { page: "overview" }, pages: ["overview", "view", "key"] },
  { name: "Graph", target: { page: "graph" }, pages: ["graph"] },
  { name: "Try it", target: { page: "try" }, pages: ["try"] },
  { name: "The article", target: { page: "article" }, pages: ["article"] },
];

export interface TopProps {
  /** Moves the keyboard to the content; no link, since a hash is an address of the page here. */
  readonly skip: () => void;
}

export function Top({ skip }: TopProps): JSX.Element {
  const { page } = route.value;
  return (
    <header class="top">
      <button class="skip" type="button" onClick={skip}>
        Skip to the content
      </button>
      <div class="top-in">
        <a class="brand" href={link({ page: "overview" })}>
          <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.4">
            <path
              d="M2 7c3.3-3.3 6.7 3.3 10 0s6.7-3.3 10 0M2 13c3.3-3.3 6.7 3.3 10 0s6.7-3.3 10 0M2 19c3.3-3.3 6.7 3.3 10 0s6.7-3.3 10 0"
              stroke-linecap="round"
            />
          </svg>
          Millrace
        </a>
        <nav class="nav" aria-label="Pages">
          {PLACES.map(({ name, target, pages }) => (
            <a key={name} href={link(target)} aria-current={pages.includes(page) ? "page" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div class="tools">
          <Connection />
          {key.value === undefined && keyRefusal.value === undefined ? null : (
            <Button kind="quiet" onClick={() => openKeyDialog()}>
              Key
            </Button>
          )}
          <ThemeButton />
        </div>
      </div>
    </header>
  );
}
