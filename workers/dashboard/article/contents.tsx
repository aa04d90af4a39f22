/** Contents: the ideas in their order, to go to one of them. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { link, route } from "../route.ts";
import { placeOf } from "./idea.tsx";

export interface ContentsProps {
  readonly ideas: readonly { readonly id: string; readonly title: string }[];
}

export function Contents({ ideas }: ContentsProps): JSX.Element {
  const now = route.value;
  const at = now.page === "article" ? now.params.at : undefined;
  useEffect(() => {
    if (at !== undefined) show(at);
  }, [at]);
  return (
    <nav class="contents" aria-labelledby="contents-title">
      <p id="contents-title" class="contents-title">
        On this page
      </p>
      <ol>
        {ideas.map(({ id, title }) => (
          <li key={id}>
            <a
              href={link({ page: "article", params: { at: id } })}
              aria-current={at === id ? "true" : undefined}
              // The address does not change when it is the same idea again.
              onClick={() => at === id && show(id)}
            >
              {title}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function show(id: string): void {
  const place = document.getElementById(placeOf(id));
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  place?.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
  place?.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
}
