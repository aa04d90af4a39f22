/** Route: the page that the address means now, as a signal. */
import type { Signal } from "@preact/signals";
import { signal } from "@preact/signals";
import type { Route, Target } from "./routes.ts";
import { link, parseRoute } from "./routes.ts";

export type { Params, Route, Target } from "./routes.ts";
export { link, parseRoute } from "./routes.ts";

export const route: Signal<Route> = signal(parseRoute(location.hash));

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/** Goes to a page; with `replace`, without a step in the browser's history, as for each letter of a filter. */
export function go(target: Target, { replace = false } = {}): void {
  if (!replace) {
    location.hash = link(target);
    return;
  }
  history.replaceState(null, "", link(target));
  route.value = parseRoute(location.hash);
}
