/** Theme: light, dark, or as the system has it; remembered on this device. */
import type { Signal } from "@preact/signals";
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const NAME = "millrace-theme";

function remembered(): Theme {
  try {
    const value = localStorage.getItem(NAME);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

export const theme: Signal<Theme> = signal(remembered());

export function setTheme(value: Theme): void {
  theme.value = value;
  try {
    if (value === "system") localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, value);
  } catch {
    // Storage may be forbidden in this browser: then it lasts as long as the page.
  }
}

theme.subscribe((value) => {
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
});
