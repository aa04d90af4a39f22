/** global: one window for all times. It only ends with the stream, so what shows results before is an early trigger. */
import { MAX_TIME } from "../clock.ts";
import type { Window, WindowTimeOptions } from "./window.ts";
import { TimeAssigner } from "./window.ts";

const ALWAYS: readonly Window[] = [{ start: 0, end: MAX_TIME }];

export class GlobalWindow extends TimeAssigner {
  get signature(): string {
    return `global:${this.time}@1`;
  }

  assign(): readonly Window[] {
    return ALWAYS;
  }
}

/** `globalWindow()` */
export function globalWindow(options?: WindowTimeOptions): GlobalWindow {
  return new GlobalWindow(options);
}
