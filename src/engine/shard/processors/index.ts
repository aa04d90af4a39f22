/** Processors: the one for each kind of operator. */
import type { OperatorPlan } from "../../../plan.ts";
import type { Processor } from "../scratch.ts";
import { AggregateProcessor } from "./aggregate.ts";
import { ProcessProcessor } from "./process.ts";
import { PullProcessor } from "./pull.ts";
import { RelayProcessor } from "./relay.ts";
import { SinkProcessor } from "./sink.ts";
import { WindowProcessor } from "./window.ts";

export function processorOf(operator: OperatorPlan): Processor {
  switch (operator.kind) {
    case "aggregate":
      return new AggregateProcessor(operator);
    case "window":
      return new WindowProcessor(operator);
    case "process":
      return new ProcessProcessor(operator);
    case "stage":
      return new RelayProcessor();
    case "sink":
      return new SinkProcessor(operator);
    case "pull":
      return new PullProcessor();
  }
}
