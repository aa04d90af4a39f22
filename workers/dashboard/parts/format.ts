/** Format: numbers, spans and texts as the page shows them. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** 12,345 and 0.25: all of a whole number, two places of another. */
export function formatNumber(n: number): string {
  if (!Number.isFinite(n)) return "–";
  return Number.isInteger(n) ? whole.format(n) : fine.format(n);
}

/** 12.3K: for where there is little room. */
export function formatCompact(n: number): string {
  if (!Number.isFinite(n)) return "–";
  return Math.abs(n) < 10_000 ? formatNumber(n) : compact.format(n);
}

/** A rate without its unit: places only where they say something. */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return "–";
  if (perSecond === 0) return "0";
  if (perSecond < 0.1) return "<0.1";
  return perSecond < 10 ? perSecond.toFixed(1) : formatCompact(Math.round(perSecond));
}

/** A span in its two largest units at most: 340 ms, 2.1 s, 3 min 20 s, 5 h, 2 d 4 h. */
export function formatSpan(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 0) return `-${formatSpan(-ms)}`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return ms < 9_950 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1_440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(ms / 3_600_000);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(large: number, unit: string, small: number, smaller: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smaller}`;
}

export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return "–";
  let rest = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (rest < 1_000) return `${rest < 10 && unit !== "B" ? rest.toFixed(1) : Math.round(rest)} ${unit}`;
    rest /= 1_000;
  }
  return `${rest.toFixed(1)} TB`;
}

/** 14:03:09, by this device's clock. */
export function formatClock(at: number | string | Date, { seconds = true } = {}): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "–";
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  return date.toLocaleTimeString("en", seconds ? { ...options, second: "2-digit" } : options);
}

/** A value of any kind, on one line: a number as a number, everything else as JSON. */
export function formatValue(value: unknown): string {
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "string") return value;
  return JSON.stringify(value) ?? String(value);
}

export interface Piece {
  readonly text: string;
  /** A stand-in for a character that would not be seen, or would move others. */
  readonly stands: boolean;
}

/** Control, format, private and unassigned characters, lone surrogates and separators; of those, joiners make emoji. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u;
const JOINER = "\u200d";

/** A text in pieces, every character that shows nothing replaced by its number, and all after `max` characters cut. */
export function visible(text: string, max = 80): { pieces: readonly Piece[]; cut: boolean } {
  const characters = [...text];
  const pieces: Piece[] = [];
  let plain = "";
  const end = characters.length > max ? max - 1 : characters.length;
  for (const [i, character] of characters.slice(0, end).entries()) {
    if (!UNSEEN.test(character) || (character === JOINER && joins(characters, i))) {
      plain += character;
      continue;
    }
    if (plain !== "") pieces.push({ text: plain, stands: false });
    plain = "";
    pieces.push({ text: standIn(character), stands: true });
  }
  if (plain !== "") pieces.push({ text: plain, stands: false });
  return { pieces, cut: end < characters.length };
}

/** A joiner between two pictures belongs to them; everywhere else it hides. */
function joins(characters: readonly string[], at: number): boolean {
  const picture = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u;
  return picture.test(characters[at - 1] ?? "") && picture.test(characters[at + 1] ?? "");
}

function standIn(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
