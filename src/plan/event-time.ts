/** Event time in a plan: which operators keep a watermark, and where lateness can be judged at the door. */
import { PlanError } from "../errors.ts";
import type { EventTimeOptions, WatermarkStrategy } from "../source.ts";
import { span } from "./options.ts";
import type { OperatorEventTime, OperatorPlan, SourceEventTime, SourcePlan } from "./plan.ts";

const DEFAULT_OUT_OF_ORDERNESS = 5_000;
const STRATEGIES: readonly WatermarkStrategy[] = ["arrival", "events", "explicit"];

/** @param otherwise what the watermark follows when the source does not say. @throws PlanError that names the option. */
export function sourceTimeOf(
  owner: string,
  options: EventTimeOptions,
  otherwise: WatermarkStrategy,
): SourceEventTime {
  const { outOfOrderness, watermarks = otherwise } = options;
  if (!STRATEGIES.includes(watermarks))
    throw new PlanError(`${owner}: watermarks is one of ${STRATEGIES.join(", ")}, not ${String(watermarks)}`);
  return {
    watermarks,
    outOfOrderness: span(owner, "outOfOrderness", outOfOrderness, DEFAULT_OUT_OF_ORDERNESS),
  };
}

/** Finds out for each operator what it has to do with event time, once all are connected. */
export function connectEventTime(
  operators: ReadonlyMap<string, OperatorPlan & { eventTime: OperatorEventTime }>,
  sources: ReadonlyMap<string, SourcePlan>,
): void {
  const watermarked = new Set<string>();
  const mark = (name: string): void => {
    const operator = operators.get(name);
    if (operator === undefined || watermarked.has(name)) return;
    watermarked.add(name);
    for (const upstream of operator.sources) mark(upstream);
  };
  for (const operator of operators.values()) if (usesEventTime(operator)) mark(operator.name);
  for (const operator of operators.values()) {
    operator.eventTime = {
      uses: usesEventTime(operator),
      watermarked: watermarked.has(operator.name),
      doors: doorsOf(operator, sources),
    } satisfies OperatorEventTime;
  }
}

/** Whether something behind the source uses event time: then it keeps a watermark. */
export function isTimed(source: SourcePlan): boolean {
  return source.targets.some((target) => target.kind !== "local" && target.eventTime.watermarked);
}

function usesEventTime(operator: OperatorPlan): boolean {
  if (operator.kind === "window") return operator.window.assigner.time === "event";
  return operator.kind === "process" && operator.process.options.eventTime === true;
}

function doorsOf(
  operator: OperatorPlan,
  sources: ReadonlyMap<string, SourcePlan>,
): ReadonlyMap<string, number> | undefined {
  const doors = new Map<string, number>();
  for (const name of operator.sources) {
    const time = sources.get(name)?.eventTime;
    if (time?.watermarks !== "arrival") return undefined;
    doors.set(name, time.outOfOrderness);
  }
  return doors.size === 0 ? undefined : doors;
}
