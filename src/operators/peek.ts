/**
 * peek: looks at each event and passes it on unchanged.
 *
 * ```ts
 * clicks.peek((click) => console.debug(click.url))
 * ```
 */
import type { Collector } from "../collector.ts";
import type { Event } from "../event.ts";
import { Operator } from "../operator.ts";

export class PeekOperator<T> extends Operator<T, T> {
  readonly kind = "peek";

  readonly fn: (data: T, event: Event<T>) => void;

  constructor(name: string, fn: (data: T, event: Event<T>) => void) {
    super(name);
    this.fn = fn;
  }

  apply(event: Event<T>, collector: Collector<T>): void {
    this.fn(event.data, event);
    collector.emit(event.data);
  }
}
