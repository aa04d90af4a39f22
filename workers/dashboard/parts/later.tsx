/** Later: a page whose code is fetched when it is first gone to. */
import type { ComponentType, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "./button.tsx";
import { ErrorNote } from "./notes.tsx";

/** @param load imports the page; it is called once, and again when it failed. */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): FunctionComponent<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Later(props: Props) {
    const [, show] = useState({});
    const [failed, setFailed] = useState<unknown>(undefined);
    useEffect(() => {
      if (loaded !== undefined || failed !== undefined) return;
      load().then(
        (page) => {
          loaded = page;
          show({});
        },
        (thrown: unknown) => setFailed(thrown ?? "unknown"),
      );
    }, [failed]);
    const Page = loaded;
    if (Page !== undefined) return <Page {...props} />;
    if (failed === undefined) return <p class="loading">Loading …</p>;
    return (
      <ErrorNote
        title="This page could not be loaded"
        problem="Its code does not arrive. After a deploy, reload the page; else try again."
        action={<Button onClick={() => setFailed(undefined)}>Try again</Button>}
      />
    );
  };
}
