/** KeyDialog: asks for a key where the deployment has keys; the key stays out of the address. */
import type { JSX, TargetedSubmitEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { hasNoKeys, sentenceOf } from "../api/problem.ts";
import { Button } from "../parts/button.tsx";
import { closeKeyDialog, key, keyDialogOpen, keyRefusal, setKey } from "../state/keys.ts";

export function KeyDialog(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = keyDialogOpen.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    // Not on its close event, which comes late: by then the dialog may be open again, for the next key.
    <dialog ref={dialog} aria-labelledby="key-title" onCancel={closeKeyDialog}>
      {open ? <KeyForm /> : null}
    </dialog>
  );
}

function KeyForm(): JSX.Element {
  const [text, setText] = useState("");
  const [remember, setRemember] = useState(false);
  const refusal = keyRefusal.value;
  const useless = refusal !== undefined && hasNoKeys(refusal);
  function submit(event: TargetedSubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (text.trim() !== "") setKey(text.trim(), remember);
  }
  return (
    <form class="dialog-form" onSubmit={submit}>
      <h2 id="key-title">{useless ? "This deployment has no keys yet" : "A key is needed"}</h2>
      {refusal === undefined ? null : <p>{sentenceOf(refusal)}</p>}
      {useless ? null : (
        <>
          <div class="field">
            <label for="key-input">Key</label>
            <input
              id="key-input"
              type="password"
              autocomplete="current-password"
              required
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </div>
          <label class="check">
            <input
              type="checkbox"
              checked={remember}
              onChange={(event) => setRemember(event.currentTarget.checked)}
            />
            Remember it on this device
          </label>
          <p class="hint">
            Otherwise it is kept in this tab only. It is sent to this server, and to nobody else.
          </p>
        </>
      )}
      <div class="dialog-buttons">
        {key.value === undefined ? null : (
          <Button kind="danger" onClick={() => setKey(undefined)}>
            Forget the key
          </Button>
        )}
        <Button onClick={closeKeyDialog}>Close</Button>
        {useless ? null : (
          <Button kind="strong" type="submit">
            Use this key
          </Button>
        )}
      </div>
    </form>
  );
}
