/**
 * filter: keeps the events that a predicate holds for.
 *
 * ```ts
 * clicks.filter((click) => click.url.startsWith("/products/"))
 * ```
 */
import type { Collector } from "../collector.ts";
import type { Event } from "../event.ts";
import { Operator } from "../operator.ts";

export class FilterOperator<T> extends Operator<T, T> {
  readonly kind = "filter";

  readonly fn: (data: T, event: Event<T>) => boolean;

  constructor(name: string, fn: (data: T, event: Event<T>) => boolean) {
    super(name);
    this.fn = fn;
  }

  apply(event: Event<T>, collector: Collector<T>): void {
    if (this.fn(event.data, event)) collector.emit(event.data);
  }
}
