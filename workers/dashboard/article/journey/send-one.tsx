/** SendOne: types a URL and sends it as one event. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../../parts/button.tsx";
import { sendOne, travelling } from "./current.ts";

export interface SendOneProps {
  readonly source: string | undefined;
  readonly views: readonly string[];
}

export function SendOne({ source, views }: SendOneProps): JSX.Element {
  const [url, setUrl] = useState("/article");
  return (
    <form
      class="send-one"
      onSubmit={(event) => {
        event.preventDefault();
        if (source !== undefined && url !== "") void sendOne(source, url, views);
      }}
    >
      <label>
        URL{" "}
        <input
          type="text"
          value={url}
          maxLength={2000}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setUrl(event.currentTarget.value)}
        />
      </label>
      <Button kind="strong" type="submit" disabled={source === undefined || url === "" || travelling.value}>
        Send one event
      </Button>
    </form>
  );
}
