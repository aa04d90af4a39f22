/** Figures: numbers as people read them. */
import type { Spread } from "../throughput.ts";

export function n(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : "";
}

export function ms(value: number): string {
  return Number.isFinite(value) ? value.toFixed(1) : "> 5 s";
}

export function times(value: number): string {
  return Number.isFinite(value) ? Number(value.toPrecision(2)).toString() : "";
}

export function spread({ spread }: Spread): string {
  return Number.isFinite(spread) ? `${Math.round(spread * 100)}%` : "";
}
