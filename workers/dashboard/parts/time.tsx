/** Time: a moment, as the clock shows it or as how long ago it was. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { formatClock, formatSpan } from "./format.ts";

export interface TimeProps {
  readonly at: number | string | Date;
  /** `clock` by default; `ago` counts on by itself. */
  readonly form?: "clock" | "minute" | "ago" | "date";
}

/** Shared by all that count: one timer for the page, and only while something counts. */
const now = signal(Date.now());
let users = 0;
let timer: ReturnType<typeof setInterval> | undefined;

export function useNow(): number {
  useEffect(() => {
    if (users++ === 0) {
      now.value = Date.now();
      timer = setInterval(() => {
        if (!document.hidden) now.value = Date.now();
      }, 1_000);
    }
    return () => {
      if (--users === 0) clearInterval(timer);
    };
  }, []);
  return now.value;
}

export function Time({ at, form = "clock" }: TimeProps): JSX.Element {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <span>{String(at)}</span>;
  const iso = date.toISOString();
  return (
    <time dateTime={iso} title={iso}>
      {form === "ago" ? (
        <Ago at={date.getTime()} />
      ) : form === "date" ? (
        date.toLocaleString("en", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" })
      ) : (
        formatClock(date, { seconds: form === "clock" })
      )}
    </time>
  );
}

function Ago({ at }: { readonly at: number }): JSX.Element {
  const span = useNow() - at;
  return <>{span < 1_500 ? "just now" : `${formatSpan(span)} ago`}</>;
}
