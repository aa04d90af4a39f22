/**
 * map: replaces each event's data by what a function makes of it.
 *
 * ```ts
 * clicks.map((click) => ({ page: new URL(click.url, "http://x").pathname }))
 * ```
 */
import type { Collector } from "../collector.ts";
import type { Event } from "../event.ts";
import { Operator } from "../operator.ts";

export class MapOperator<T, U> extends Operator<T, U> {
  readonly kind = "map";

  readonly fn: (data: T, event: Event<T>) => U;

  constructor(name: string, fn: (data: T, event: Event<T>) => U) {
    super(name);
    this.fn = fn;
  }

  apply(event: Event<T>, collector: Collector<U>): void {
    collector.emit(this.fn(event.data, event));
  }
}
