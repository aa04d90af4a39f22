/** Compile-time promises of the streams: types flow, guards narrow, state needs a key, and nothing waits. */
import { expectTypeOf, test } from "vitest";
import type { Collector, Event, KeyedResult, KeyedStream, SourceCollector, Stream } from "../../src/index.ts";
import { Aggregate, average, count, Job, Operator, Source, sum } from "../../src/index.ts";

interface View {
  readonly kind: "view";
  readonly url: string;
}
interface Sale {
  readonly kind: "sale";
  readonly amount: number;
}
type Action = View | Sale;

declare const actions: Stream<Action>;
const isSale = (action: Action): action is Sale => action.kind === "sale";

test("a source gives a stream of its events", () => {
  class Actions extends Source<Action> {
    getEvents(_input: unknown, collector: SourceCollector<Action>): void {
      collector.emit({ kind: "view", url: "/" }, { time: 0 });
      // @ts-expect-error it is no Action
      collector.emit({ kind: "other" });
      // @ts-expect-error a time is a number or text
      collector.emit({ kind: "view", url: "/" }, { time: new Date() });
    }
  }
  expectTypeOf(new Job("job").addSource(new Actions("actions"))).toEqualTypeOf<Stream<Action>>();
});

test("a type guard in filter narrows, a predicate does not", () => {
  expectTypeOf(actions.filter(isSale)).toEqualTypeOf<Stream<Sale>>();
  expectTypeOf(actions.filter((action) => action.kind === "sale")).toEqualTypeOf<Stream<Sale>>();
  expectTypeOf(actions.filter((action) => action.kind.length > 3)).toEqualTypeOf<Stream<Action>>();
});

test("element types flow through map, flatMap and operators", () => {
  expectTypeOf(actions.map((action) => action.kind)).toEqualTypeOf<Stream<"view" | "sale">>();
  expectTypeOf(actions.map((_action, event) => event.time)).toEqualTypeOf<Stream<number>>();
  expectTypeOf(actions.flatMap((action) => [action.kind.length])).toEqualTypeOf<Stream<number>>();
  expectTypeOf(
    actions.flatMap(function* (action) {
      yield action;
    }),
  ).toEqualTypeOf<Stream<Action>>();
  class Amounts extends Operator<Sale, number> {
    apply({ data }: Event<Sale>, collector: Collector<number>): void {
      collector.emit(data.amount);
      // @ts-expect-error it emits numbers
      collector.emit("1");
    }
  }
  expectTypeOf(actions.filter(isSale).applyOperator(new Amounts("amounts"))).toEqualTypeOf<Stream<number>>();
  // @ts-expect-error the operator takes sales, the stream has views too
  actions.applyOperator(new Amounts("amounts"));
});

test("stateful steps exist behind keyBy only", () => {
  const keyed = actions.keyBy((action) => action.kind);
  expectTypeOf(keyed).toEqualTypeOf<KeyedStream<Action>>();
  // @ts-expect-error a stream without keys has no aggregate
  actions.aggregate("counts", count());
  // @ts-expect-error a keyed stream is not mapped: map before keyBy
  keyed.map((action: Action) => action);
  // @ts-expect-error an aggregate needs keys
  actions.applyOperator(new Counter("counter"));
  // @ts-expect-error a key is a string
  actions.keyBy((action) => action.kind.length);
  // @ts-expect-error a key is never missing
  actions.keyBy((action) => (action.kind === "view" ? action.url : undefined));
});

class Counter extends Aggregate<Action, number, string> {
  create(): number {
    return 0;
  }
  add(n: number): number {
    return n + 1;
  }
  merge(left: number, right: number): number {
    return left + right;
  }
  result(n: number): string {
    return `${n}`;
  }
}

test("an aggregate's stream has keys and results", () => {
  const keyed = actions.keyBy((action) => action.kind);
  const sales = actions.filter(isSale).keyBy(() => "all");
  expectTypeOf(keyed.aggregate("counts", count())).toEqualTypeOf<Stream<KeyedResult<number>>>();
  expectTypeOf(
    sales.aggregate(
      "sum",
      sum((sale) => sale.amount),
    ),
  ).toEqualTypeOf<Stream<KeyedResult<number>>>();
  expectTypeOf(
    sales.aggregate(
      "average",
      average((sale) => sale.amount),
    ),
  ).toEqualTypeOf<Stream<KeyedResult<number>>>();
  expectTypeOf(keyed.applyOperator(new Counter("counter"))).toEqualTypeOf<Stream<KeyedResult<string>>>();
  // @ts-expect-error a view has no amount
  const amount = sum<Action>((action) => action.amount);
  keyed.aggregate("sum", amount);
  // @ts-expect-error what is summed is a number
  const kinds = sum<Action>((action) => action.kind);
  keyed.aggregate("sum", kinds);
  const revenue = sum((sale: Sale) => sale.amount);
  sales.aggregate("revenue", revenue);
  // @ts-expect-error the aggregator takes sales, the stream has views too
  keyed.aggregate("revenue", revenue);
  class Revenue extends Aggregate<Sale, number> {
    create = () => 0;
    add = (acc: number, { data }: Event<Sale>) => acc + data.amount;
    merge = (left: number, right: number) => left + right;
    result = (acc: number) => acc;
  }
  sales.applyOperator(new Revenue("revenue"));
  // @ts-expect-error so does the class
  keyed.applyOperator(new Revenue("revenue"));
  // @ts-expect-error shards are counted in numbers
  keyed.aggregate("counts", count(), { shards: "4" });
});

test("nothing waits: a Promise is a type error everywhere", () => {
  // @ts-expect-error map
  actions.map(async (action) => action);
  // @ts-expect-error map, by another way
  actions.map((action) => Promise.resolve(action));
  // @ts-expect-error filter
  actions.filter(async () => true);
  // @ts-expect-error flatMap
  actions.flatMap(async (action) => [action]);
  // @ts-expect-error keyBy
  actions.keyBy(async (action) => action.kind);
  class Waiting extends Operator<Action> {
    // @ts-expect-error apply
    async apply(): Promise<void> {}
  }
  class WaitingSource extends Source<Action> {
    // @ts-expect-error getEvents
    async getEvents(): Promise<void> {}
  }
  class WaitingAggregate extends Counter {
    // @ts-expect-error add
    override async add(n: number): Promise<number> {
      return n + 1;
    }
  }
  expectTypeOf<Waiting | WaitingSource | WaitingAggregate>().toBeObject();
});

test("events are immutable", () => {
  const event = {} as Event<{ readonly url: string }>;
  // @ts-expect-error its time is fixed
  event.time = 0;
  // @ts-expect-error so is its key
  event.key = "k";
  expectTypeOf(event.id).toEqualTypeOf<string>();
});
