/** Keys: the visitor's key for the API, kept in this tab, or on this device if he says so; and whether one is wanted. */
import type { Signal } from "@preact/signals";
import { signal } from "@preact/signals";
import type { ApiProblem } from "../api/problem.ts";

const NAME = "millrace-key";

/** Storage may be forbidden in this browser: then the key lasts as long as the page. */
function stored(storage: () => Storage): string | undefined {
  try {
    return storage().getItem(NAME) ?? undefined;
  } catch {
    return undefined;
  }
}

function store(storage: () => Storage, value: string | undefined): void {
  try {
    if (value === undefined) storage().removeItem(NAME);
    else storage().setItem(NAME, value);
  } catch {
    // See above.
  }
}

const tab = () => sessionStorage;
const device = () => localStorage;

/** Everything that was refused follows it, and tries again by itself when it is another one. */
export const key: Signal<string | undefined> = signal(stored(tab) ?? stored(device));

/** What the server said when it last refused this key, or the lack of one. */
export const keyRefusal: Signal<ApiProblem | undefined> = signal(undefined);

export const keyDialogOpen: Signal<boolean> = signal(false);

/** A visitor who closed the dialog is asked again when he does something, not for what the page does by itself. */
let declined = false;

export function askForKey(problem: ApiProblem): void {
  keyRefusal.value = problem;
  if (!declined) keyDialogOpen.value = true;
}

export function openKeyDialog(problem?: ApiProblem): void {
  if (problem !== undefined) keyRefusal.value = problem;
  keyDialogOpen.value = true;
}

export function closeKeyDialog(): void {
  declined = true;
  keyDialogOpen.value = false;
}

/** @param remember on this device, not only in this tab. */
export function setKey(value: string | undefined, remember = false): void {
  store(tab, value);
  store(device, remember ? value : undefined);
  declined = false;
  keyDialogOpen.value = false;
  keyRefusal.value = undefined;
  key.value = value;
}
