/** Button: what does something; a link is what goes somewhere. */
import type { ComponentChildren, JSX } from "preact";

export interface ButtonProps {
  readonly onClick?: () => void;
  readonly kind?: "plain" | "strong" | "quiet" | "danger";
  readonly type?: "button" | "submit";
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  /** What it says to those who do not see it, where its content is a sign. */
  readonly label?: string;
  readonly title?: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Button(props: ButtonProps): JSX.Element {
  const { kind = "plain", type = "button", disabled = false, pressed, label, children, ...rest } = props;
  return (
    <button
      type={type}
      class={`button button-${kind} ${rest.class ?? ""}`}
      disabled={disabled}
      aria-pressed={pressed}
      aria-label={label}
      title={rest.title}
      onClick={rest.onClick}
    >
      {children}
    </button>
  );
}
