/** Window words: what the name of a view's windows, like `tumbling:60000:0:event@1`, says. */

export type WindowKind = "tumbling" | "hopping" | "session" | "global" | "count" | "other";

export interface WindowForm {
  readonly kind: WindowKind;
  /** Of tumbling and hopping windows, ms. */
  readonly sizeMs?: number;
  /** From the start of one window to the next one's, ms. */
  readonly stepMs?: number;
  /** For people: `each minute`. */
  readonly words: string;
}

/** Windows of the user's own assigner have any name: it stands for itself. */
export function windowForm(signature: string): WindowForm {
  const [kind = "", first = "", second = ""] = signature.replace(/@.*$/, "").split(":");
  const [a, b] = [Number(first), Number(second)];
  if (kind === "tumbling" && a > 0) {
    return { kind, sizeMs: a, stepMs: a, words: `each ${span(a, { one: false })}` };
  }
  if (kind === "hopping" && a > 0 && b > 0) {
    return { kind, sizeMs: a, stepMs: b, words: `the last ${span(a, { one: false })}, every ${span(b)}` };
  }
  if (kind === "session" && a > 0)
    return { kind, words: `sessions with less than ${span(a)} between events` };
  if (kind === "global") return { kind, words: "all time" };
  if (kind === "count" && a > 0 && b > 0) {
    return {
      kind,
      words: a === b ? `each ${a} events of a key` : `the last ${a} events of a key, every ${b}`,
    };
  }
  return { kind: "other", words: signature };
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
  ["millisecond", 1],
] as const;

/** A span in its largest whole unit: `90 seconds`. `one: false` leaves the 1 away, as in `each minute`. */
export function span(ms: number, { one = true } = {}): string {
  const [name, size] =
    UNITS.find(([, unit]) => ms >= unit && ms % unit === 0) ?? (["millisecond", 1] as const);
  const n = ms / size;
  if (n === 1) return one ? `1 ${name}` : name;
  return `${n} ${name}s`;
}

/** A span from now for the API's `from`: `-90s`. */
export function ago(ms: number): string {
  return `-${Math.ceil(ms / 1000)}s`;
}
