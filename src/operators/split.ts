/**
 * split: sends each event to the side output of the first predicate that holds for it, and the others on.
 *
 * ```ts
 * const { products, blog, rest } = clicks.split({
 *   products: (click) => click.url.startsWith("/products/"),
 *   blog: (click) => click.url.startsWith("/blog/"),
 * });
 * ```
 */
import type { Collector } from "../collector.ts";
import type { Event } from "../event.ts";
import { Operator } from "../operator.ts";

export type Branches<T> = Readonly<Record<string, (data: T, event: Event<T>) => boolean>>;

export class SplitOperator<T> extends Operator<T, T> {
  readonly kind = "split";

  readonly branches: Branches<T>;

  constructor(name: string, branches: Branches<T>) {
    super(name);
    this.branches = branches;
  }

  apply(event: Event<T>, collector: Collector<T>): void {
    for (const output in this.branches) {
      if (this.branches[output]?.(event.data, event) === true) {
        collector.emitTo(output, event.data);
        return;
      }
    }
    collector.emit(event.data);
  }
}
