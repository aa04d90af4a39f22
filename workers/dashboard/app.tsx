/** App: the shell of the live page: where one is, where one can go, whether it is connected, and the page itself. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { KeyPage } from "./overview/key-page.tsx";
import { OverviewPage } from "./overview/overview-page.tsx";
import { ViewPage } from "./overview/view-page.tsx";
import { visible } from "./parts/format.ts";
import { later } from "./parts/later.tsx";
import { Empty } from "./parts/notes.tsx";
import type { Route } from "./route.ts";
import { link, route } from "./route.ts";
import { ConnectionNote } from "./shell/connection.tsx";
import { KeyDialog } from "./shell/key-dialog.tsx";
import { Top } from "./shell/top.tsx";

const GraphPage = later(async () => (await import("./graph/graph-page.tsx")).GraphPage);
const TryPage = later(async () => (await import("./try/try-page.tsx")).TryPage);
const ArticlePage = later(async () => (await import("./article/article-page.tsx")).ArticlePage);

export function App(): JSX.Element {
  const at = route.value;
  const main = useArrival(at);
  return (
    <div class="shell">
      <Top skip={() => main.current?.focus()} />
      <main id="main" class="page" tabIndex={-1} ref={main}>
        <Page key={placeOf(at)} at={at} />
      </main>
      <footer class="foot">
        <a href="/v1/views">Views</a>
        <a href="/v1/jobs">Jobs</a>
        <a href="/v1/health">Health</a>
        <a href="/metrics">Metrics</a>
        <a href="/openapi.json">OpenAPI</a>
      </footer>
      <ConnectionNote />
      <KeyDialog />
    </div>
  );
}

function Page({ at }: { readonly at: Route }): JSX.Element {
  switch (at.page) {
    case "overview":
      return <OverviewPage />;
    case "graph":
      return <GraphPage job={at.job} />;
    case "try":
      return <TryPage />;
    case "article":
      return <ArticlePage />;
    case "view":
      return <ViewPage view={at.view} params={at.params} />;
    case "key":
      return <KeyPage view={at.view} name={at.key} />;
    default:
      return (
        <>
          <div class="page-head">
            <h1>There is no such page</h1>
          </div>
          <Empty title="The address may be mistyped, or of another version.">
            <a href={link({ page: "overview" })}>Go to the overview</a>
          </Empty>
        </>
      );
  }
}

/** Another page begins at its top, with the keyboard in it, under its own title. */
function useArrival(at: Route) {
  const main = useRef<HTMLElement>(null);
  const place = placeOf(at);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${titleOf(at)} · Millrace`;
    if (!first.current) {
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
    first.current = false;
  }, [place]);
  return main;
}

/** What makes it another page; the parameters and the graph's job only change what a page shows. */
function placeOf(at: Route): string {
  if (at.page === "view") return `view/${at.view}`;
  return at.page === "key" ? `key/${at.view}/${at.key}` : at.page;
}

function titleOf(at: Route): string {
  switch (at.page) {
    case "overview":
      return "Overview";
    case "graph":
      return at.job === undefined ? "Graph" : `Graph of ${plain(at.job)}`;
    case "try":
      return "Try it";
    case "article":
      return "The article";
    case "view":
      return plain(at.view);
    case "key":
      return `${plain(at.key)} in ${plain(at.view)}`;
    default:
      return "No such page";
  }
}

function plain(text: string): string {
  const { pieces, cut } = visible(text, 60);
  return pieces.map((piece) => piece.text).join("") + (cut ? "…" : "");
}
