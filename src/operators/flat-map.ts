/**
 * flatMap: replaces each event by none, one or several.
 *
 * ```ts
 * posts.flatMap((post) => post.tags)
 * ```
 */
import type { Collector } from "../collector.ts";
import type { Event } from "../event.ts";
import { Operator } from "../operator.ts";

export class FlatMapOperator<T, U> extends Operator<T, U> {
  readonly kind = "flatMap";

  readonly fn: (data: T, event: Event<T>) => Iterable<U>;

  constructor(name: string, fn: (data: T, event: Event<T>) => Iterable<U>) {
    super(name);
    this.fn = fn;
  }

  apply(event: Event<T>, collector: Collector<U>): void {
    for (const data of this.fn(event.data, event)) collector.emit(data);
  }
}
