/** hopping: windows of one size that start every `slide`: an event belongs to each that holds it. Elsewhere: sliding. */
import { PlanError } from "../errors.ts";
import { offsetOf, spanOf } from "./span.ts";
import type { TumblingOptions } from "./tumbling.ts";
import { alignedStart } from "./tumbling.ts";
import type { Window } from "./window.ts";
import { TimeAssigner } from "./window.ts";

/** Each event changes as many windows as hold it: a second's slide over a day would be 86,400. */
const MAX_OVERLAP = 1_000;

export class HoppingWindows extends TimeAssigner {
  readonly size: number;
  readonly slide: number;
  readonly offset: number;

  /** @throws PlanError when a span is none, or an event would belong to more than 1,000 windows. */
  constructor(size: number | string, slide: number | string, options: TumblingOptions = {}) {
    super(options);
    this.size = spanOf("hopping", size);
    this.slide = spanOf("hopping, slide", slide);
    this.offset = offsetOf("hopping, offset", options.offset ?? 0);
    if (this.size / this.slide > MAX_OVERLAP) {
      throw new PlanError(
        `hopping: each event would belong to ${Math.ceil(this.size / this.slide)} windows, the limit is ${MAX_OVERLAP}; use a longer slide`,
      );
    }
  }

  get signature(): string {
    return `hopping:${this.size}:${this.slide}:${this.offset}:${this.time}@1`;
  }

  /** The earliest first. None for a time that lies in a gap, where the slide is longer than the size. */
  assign(time: number): readonly Window[] {
    const windows: Window[] = [];
    for (
      let start = alignedStart(time, this.offset, this.slide);
      start > time - this.size;
      start -= this.slide
    ) {
      windows.push({ start, end: start + this.size });
    }
    return windows.reverse();
  }
}

/** `hopping("1 minute", "10 seconds")` @throws PlanError as the class does. */
export function hopping(
  size: number | string,
  slide: number | string,
  options?: TumblingOptions,
): HoppingWindows {
  return new HoppingWindows(size, slide, options);
}
