/** Templates: what the events of a source are made from: pages if it takes them, else what the visitor writes. */
import type { Signal } from "@preact/signals";
import { signal } from "@preact/signals";
import { describe } from "../../api/problem.ts";
import { strictPost } from "./ports.ts";
import { templateOf } from "./probe.ts";

/** By source: its template, or null where it takes no pages. Asked once for each in a visit, when it is to be fed. */
const known: Signal<ReadonlyMap<string, string | null>> = signal(new Map());

export interface Templates {
  /** Null where the source takes no pages; undefined where it has not been asked. */
  of(source: string): string | null | undefined;
  /** @throws with words for the visitor when it cannot be asked. */
  ask(source: string): Promise<string | null>;
}

export function useTemplates(): Templates {
  const { value } = known;
  return {
    of: (source) => value.get(source),
    async ask(source) {
      const before = known.value.get(source);
      if (before !== undefined) return before;
      try {
        const template = (await templateOf(source, strictPost)) ?? null;
        known.value = new Map([...known.value, [source, template]]);
        return template;
      } catch (thrown) {
        throw new Error(`What ${source} takes could not be asked: ${describe(thrown)}`);
      }
    },
  };
}
