/** Template: makes events from a text with placeholders, a line of text or a JSON value. */
import { pickPath } from "./paths.ts";

export const PLACEHOLDERS = ["{path}", "{n}", "{random}", "{now}"] as const;

/** What each placeholder stands for in one event. */
export interface Filling {
  /** How many events there were before. */
  readonly n: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Epoch ms. */
  readonly now: number;
}

/** One event: the value that the filled text is as JSON, else the text itself. */
export function eventOf(template: string, { n, random, now }: Filling): unknown {
  const text = template.replaceAll(/\{(path|n|random|now)\}/g, (_, name: string) => {
    switch (name) {
      case "path":
        return pickPath(random());
      case "n":
        return String(n);
      case "random":
        return String(Math.floor(random() * 1_000));
      default:
        return String(now);
    }
  });
  if (!/^\s*[[{"]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
