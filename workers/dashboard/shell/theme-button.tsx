/** ThemeButton: switches between light and dark; what the system has too is left to the system. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { Button } from "../parts/button.tsx";
import { setTheme, theme } from "../state/theme.ts";

const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
system.addEventListener("change", () => {
  systemDark.value = system.matches;
});

export function ThemeButton(): JSX.Element {
  const dark = theme.value === "system" ? systemDark.value : theme.value === "dark";
  const other = dark ? "light" : "dark";
  const flip = () => setTheme(systemDark.value === !dark ? "system" : other);
  return (
    <Button
      kind="quiet"
      class="button-icon"
      label={`Use ${other} colours`}
      title={`Use ${other} colours`}
      onClick={flip}
    >
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" fill="currentColor">
        {dark ? (
          <path d="M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10Zm0-6 1.2 4h-2.4L12 1Zm0 22-1.2-4h2.4L12 23ZM1 12l4-1.2v2.4L1 12Zm22 0-4 1.2v-2.4l4 1.2ZM4.2 4.2l3.7 2-1.7 1.7-2-3.7Zm15.6 15.6-3.7-2 1.7-1.7 2 3.7ZM4.2 19.8l2-3.7 1.7 1.7-3.7 2ZM19.8 4.2l-2 3.7-1.7-1.7 3.7-2Z" />
        ) : (
          <path d="M20.5 14.6A9 9 0 0 1 9.4 3.5a9 9 0 1 0 11.1 11.1Z" />
        )}
      </svg>
    </Button>
  );
}
