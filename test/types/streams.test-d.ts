/** Compile-time promises of the streams: types flow, guards narrow, state needs a key, and nothing waits. */
import { expectTypeOf, test } from "vitest";
import type {
  Collector,
  CountWindowedStream,
  Event,
  JoinedStream,
  KeyedResult,
  KeyedStream,
  ProcessContext,
  Pulled,
  PullRequest,
  SinkBatch,
  SourceCollector,
  SplitStreams,
  Stream,
  Timer,
  Window,
  WindowResult,
} from "../../src/index.ts";
import {
  Aggregate,
  average,
  count,
  countWindow,
  Job,
  Operator,
  ProcessFunction,
  PullSource,
  Sink,
  Source,
  Stage,
  stage,
  sum,
  tumbling,
} from "../../src/index.ts";

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

test("split gives a stream per branch and the rest, under their names and no other", () => {
  const streams = actions.split({ sales: isSale, early: (_action, { time }) => time < 0 });
  expectTypeOf(streams).toEqualTypeOf<SplitStreams<Action, "sales" | "early">>();
  expectTypeOf(streams.rest).toEqualTypeOf<Stream<Action>>();
  expectTypeOf(streams.early).toEqualTypeOf<Stream<Action>>();
  // @ts-expect-error there is no such branch
  streams.late;
  // @ts-expect-error what decides is a boolean
  actions.split({ sales: (action) => action.kind });
  // @ts-expect-error a Promise is none: it would always hold
  actions.split({ sales: async () => true });
});

test("union holds what any of its streams holds", () => {
  const numbers = actions.map(() => 1);
  expectTypeOf(actions.union()).toEqualTypeOf<Stream<Action>>();
  expectTypeOf(numbers.union(actions.map(() => "text"))).toEqualTypeOf<Stream<number | string>>();
  expectTypeOf(numbers.union(numbers, numbers)).toEqualTypeOf<Stream<number>>();
  expectTypeOf(
    numbers.union(
      actions.map(() => "text"),
      actions.map(() => true),
    ),
  ).toEqualTypeOf<Stream<number | string | boolean>>();
  // @ts-expect-error a keyed stream is no stream: unite first
  actions.union(actions.keyBy(() => "k"));
});

test("a side output has the type that its reader says, as its emitter is not known here", () => {
  expectTypeOf(actions.sideOutput<number>("late")).toEqualTypeOf<Stream<number>>();
  expectTypeOf(actions.sideOutput("late")).toEqualTypeOf<Stream<unknown>>();
  // @ts-expect-error an output has a name
  actions.sideOutput();
});

test("peek sees what it passes on and changes nothing", () => {
  expectTypeOf(actions.peek((action, { id }) => console.log(action.kind, id))).toEqualTypeOf<
    Stream<Action>
  >();
});

test("enrich joins with what the table holds, or nothing", () => {
  const sales = actions.filter(isSale).keyBy(() => "k");
  const names = actions.map(() => ({ name: "n" })).keyBy(({ name }) => name);
  const joined = sales.enrich("joined", names, (sale, row, event) => {
    expectTypeOf(sale).toEqualTypeOf<Sale>();
    expectTypeOf(row).toEqualTypeOf<{ name: string } | undefined>();
    expectTypeOf(event).toEqualTypeOf<Event<Sale>>();
    return [sale.amount, row?.name] as const;
  });
  expectTypeOf(joined).toEqualTypeOf<Stream<readonly [number, string | undefined]>>();
  // @ts-expect-error the row may be missing
  sales.enrich("joined", names, (_sale, row) => row.name);
  // @ts-expect-error a table has keys
  sales.enrich("joined", actions, (sale) => sale);
  // @ts-expect-error nothing waits
  sales.enrich("joined", names, async (sale) => sale);
  // @ts-expect-error what is joined has keys
  actions.enrich("joined", names, (action: Action) => action);
});

test("joins know both sides, and what may be missing", () => {
  interface Name {
    name: string;
  }
  const sales = actions.filter(isSale).keyBy(() => "k");
  const names = actions.map((): Name => ({ name: "n" })).keyBy(({ name }) => name);
  const minutes = sales.window(tumbling("1 minute"));
  const inner = minutes.join("joined", names, (sale, name, window) => {
    expectTypeOf(sale).toEqualTypeOf<Sale>();
    expectTypeOf(name).toEqualTypeOf<Name>();
    expectTypeOf(window).toEqualTypeOf<Window>();
    return [sale.amount, name.name] as const;
  });
  expectTypeOf(inner).toEqualTypeOf<JoinedStream<Sale | Name, readonly [number, string]>>();
  expectTypeOf(inner.late).toEqualTypeOf<Stream<Sale | Name>>();
  expectTypeOf(inner.map(([amount]) => amount)).toEqualTypeOf<Stream<number>>();
  minutes.leftJoin("left", names, (sale, name) => {
    expectTypeOf(sale).toEqualTypeOf<Sale>();
    expectTypeOf(name).toEqualTypeOf<Name | undefined>();
    return 0;
  });
  minutes.fullJoin("full", names, (sale, name) => {
    expectTypeOf(sale).toEqualTypeOf<Sale | undefined>();
    expectTypeOf(name).toEqualTypeOf<Name | undefined>();
    return 0;
  });
  const near = sales.intervalJoin("near", names, { lower: -5, upper: "1 hour" }, (sale, name) => {
    expectTypeOf(sale).toEqualTypeOf<Sale>();
    expectTypeOf(name).toEqualTypeOf<Name>();
    return sale.amount;
  });
  expectTypeOf(near).toEqualTypeOf<JoinedStream<Sale | Name, number>>();
  const asOf = sales.enrichAsOf("as-of", names, (sale, name, event) => {
    expectTypeOf(name).toEqualTypeOf<Name | undefined>();
    expectTypeOf(event).toEqualTypeOf<Event<Sale>>();
    return sale.amount;
  });
  expectTypeOf(asOf).toEqualTypeOf<JoinedStream<Sale | Name, number>>();
  // @ts-expect-error the right one may be missing
  minutes.leftJoin("left", names, (_sale, name) => name.name);
  // @ts-expect-error so may the left one
  minutes.fullJoin("full", names, (sale) => sale.amount);
  // @ts-expect-error and the row
  sales.enrichAsOf("as-of", names, (_sale, name) => name.name);
  // @ts-expect-error what is joined has keys
  minutes.join("joined", actions, () => 0);
  // @ts-expect-error an interval has two ends
  sales.intervalJoin("near", names, { lower: 0 }, () => 0);
  // @ts-expect-error nothing waits
  sales.intervalJoin("near", names, { lower: 0, upper: 1 }, async (sale) => sale);
});

test("behind a count window comes an aggregate that takes what the stream holds", () => {
  const sales = actions.filter(isSale).keyBy(() => "k");
  const hundred = sales.window(countWindow(100, 10));
  expectTypeOf(hundred).toEqualTypeOf<CountWindowedStream<Sale>>();
  const revenue = sum((sale: Sale) => sale.amount);
  expectTypeOf(hundred.aggregate("revenue", revenue)).toEqualTypeOf<Stream<WindowResult<number>>>();
  const all = actions.keyBy(() => "k").window(countWindow(100));
  // @ts-expect-error the aggregator takes sales, the stream has views too
  all.aggregate("revenue", revenue);
  // @ts-expect-error nothing is late for what is counted
  sales.window(countWindow(100), { lateness: "1 minute" });
  // @ts-expect-error joins go by time
  hundred.join("joined", sales, () => 0);
});

test("a process function has typed state and timers, follows keyBy only, and does not wait", () => {
  class Sessions extends ProcessFunction<Action, string> {
    apply({ data }: Event<Action>, collector: Collector<string>, context: ProcessContext): void {
      const clicks = context.state.value<number>("clicks", { ttl: "1 hour" });
      expectTypeOf(clicks.get()).toEqualTypeOf<number | undefined>();
      expectTypeOf(context.state.list<Action>("all").get()).toEqualTypeOf<readonly Action[]>();
      expectTypeOf(context.state.map<number>("byUrl").get("/")).toEqualTypeOf<number | undefined>();
      expectTypeOf(context.timers.get("end")).toEqualTypeOf<number | undefined>();
      context.timers.set("end", context.now + 1);
      // @ts-expect-error a timer is set for a number of milliseconds
      context.timers.set("end", new Date());
      // @ts-expect-error it counts
      clicks.set("1");
      // @ts-expect-error a list is changed by its own methods
      context.state.list<Action>("all").get().push(data);
      // @ts-expect-error it emits text
      collector.emit(1);
      collector.emitTo("any", data);
    }
    override onTimer(timer: Timer, collector: Collector<string>): void {
      collector.emit(timer.key);
    }
  }
  expectTypeOf(actions.keyBy(() => "k").applyOperator(new Sessions("sessions"))).toEqualTypeOf<
    Stream<string>
  >();
  // @ts-expect-error it needs keys
  actions.applyOperator(new Sessions("sessions"));
  class OfSales extends ProcessFunction<Sale> {
    apply(): void {}
  }
  actions
    .filter(isSale)
    .keyBy(() => "k")
    .applyOperator(new OfSales("of-sales"));
  // @ts-expect-error it takes sales, the stream has views too
  actions.keyBy(() => "k").applyOperator(new OfSales("of-sales"));
  class Waiting extends ProcessFunction<Action> {
    // @ts-expect-error apply
    async apply(): Promise<void> {}
    // @ts-expect-error onTimer
    override async onTimer(): Promise<void> {}
  }
  expectTypeOf<Waiting>().toBeObject();
});

test("a stage may wait, takes what its stream holds, and gives a stream that must be keyed anew", () => {
  const located = stage<Action, number>({
    name: "locate",
    concurrency: 10,
    async apply(event, collector, context) {
      expectTypeOf(event).toEqualTypeOf<Event<Action>>();
      expectTypeOf(context.operator).toEqualTypeOf<string>();
      collector.emit(1);
      // @ts-expect-error it emits numbers
      collector.emit("1");
    },
  });
  expectTypeOf(located).toEqualTypeOf<Stage<Action, number>>();
  expectTypeOf(actions.applyOperator(located)).toEqualTypeOf<Stream<number>>();
  // @ts-expect-error a stage is behind no keyBy
  actions.keyBy(() => "k").applyOperator(located);
  class OfSales extends Stage<Sale> {
    async apply(): Promise<void> {}
  }
  actions.filter(isSale).applyOperator(new OfSales("of-sales"));
  // @ts-expect-error it takes sales, the stream has views too
  actions.applyOperator(new OfSales("of-sales"));
  // @ts-expect-error a stage has a name
  stage<Action>({ apply: () => undefined });
  // @ts-expect-error places are counted
  stage<Action>({ name: "s", concurrency: "10", apply: () => undefined });
});

test("a sink takes what its stream holds or more, keyed or not, and ends it", () => {
  class Lines extends Sink<{ readonly kind: string }> {
    async write(batch: SinkBatch<{ readonly kind: string }>): Promise<void> {
      expectTypeOf(batch.events).toEqualTypeOf<readonly Event<{ readonly kind: string }>[]>();
      // @ts-expect-error a batch never changes
      batch.number = 2;
    }
  }
  expectTypeOf(actions.addSink(new Lines("lines"))).toEqualTypeOf<void>();
  expectTypeOf(actions.keyBy(() => "k").addSink(new Lines("lines"))).toEqualTypeOf<void>();
  class OfSales extends Sink<Sale> {
    async write(): Promise<void> {}
  }
  actions.filter(isSale).addSink(new OfSales("of-sales"));
  // @ts-expect-error it takes sales, the stream has views too
  actions.addSink(new OfSales("of-sales"));
  // @ts-expect-error so does it behind keys
  actions.keyBy(() => "k").addSink(new OfSales("of-sales"));
});

test("a pull source gives a stream of its events, and gets its own offset back", () => {
  class Polled extends PullSource<Action, { readonly page: number }> {
    async getEvents({
      offset,
      now,
      limit,
    }: PullRequest<{ readonly page: number }>): Promise<Pulled<Action, { readonly page: number }>> {
      expectTypeOf(offset).toEqualTypeOf<{ readonly page: number } | undefined>();
      expectTypeOf([now, limit]).toEqualTypeOf<number[]>();
      return {
        events: [{ data: { kind: "view", url: "/" }, time: now }],
        offset: { page: (offset?.page ?? 0) + 1 },
      };
    }
  }
  expectTypeOf(new Job("job").addSource(new Polled("polled"))).toEqualTypeOf<Stream<Action>>();
  class AtOnce extends PullSource<number, number> {
    getEvents(): Pulled<number, number> {
      return { events: [{ data: 1 }], offset: 1, next: 5 };
    }
  }
  expectTypeOf(new Job("job").addSource(new AtOnce("at-once"))).toEqualTypeOf<Stream<number>>();
  class Wrong extends PullSource<number, number> {
    // @ts-expect-error the offset is a number
    getEvents() {
      return { events: [{ data: 1 }], offset: "1" };
    }
  }
  class Forgetful extends PullSource<number, number> {
    // @ts-expect-error an answer has an offset
    getEvents() {
      return { events: [{ data: 1 }] };
    }
  }
  expectTypeOf<Wrong | Forgetful>().toBeObject();
});
