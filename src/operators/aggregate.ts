/**
 * aggregate: an Aggregator under a name, which makes it a stateful operator and a view.
 *
 * ```ts
 * clicks.keyBy((click) => click.url).aggregate("page-views", count())
 * ```
 */
import type { Event } from "../event.ts";
import type { AggregateOptions, Aggregator } from "../operator.ts";
import { Aggregate } from "../operator.ts";

export class AggregatorOperator<In, Acc, Out> extends Aggregate<In, Acc, Out> {
  readonly aggregator: Aggregator<In, Acc, Out>;

  constructor(name: string, aggregator: Aggregator<In, Acc, Out>, options?: AggregateOptions) {
    super(name, options);
    this.aggregator = aggregator;
  }

  override get signature(): string {
    return this.aggregator.signature;
  }

  override get growing(): boolean {
    return this.aggregator.growing ?? false;
  }

  create(): Acc {
    return this.aggregator.create();
  }

  add(accumulator: Acc, event: Event<In>): Acc {
    return this.aggregator.add(accumulator, event);
  }

  merge(left: Acc, right: Acc): Acc {
    return this.aggregator.merge(left, right);
  }

  result(accumulator: Acc): Out {
    return this.aggregator.result(accumulator);
  }
}
