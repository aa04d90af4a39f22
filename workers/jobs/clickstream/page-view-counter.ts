/** PageViewCounter: how often each page was viewed. */
import { Aggregate } from "../../../src/index.ts";
import type { Click } from "./click-event.ts";

export class PageViewCounter extends Aggregate<Click, number, number> {
  override get signature(): string {
    return "page-view-counter@1";
  }

  /** A count never goes down, so the top pages come from a small index. */
  override get growing(): boolean {
    return true;
  }

  create(): number {
    return 0;
  }

  add(count: number): number {
    return count + 1;
  }

  merge(left: number, right: number): number {
    return left + right;
  }

  result(count: number): number {
    return count;
  }
}
