/** Accumulators: which values can be stored as one, and copies that a hook may change. */
import { byteLength } from "../byte-length.ts";

/** An accumulator must fit a row of storage with room to spare. */
const MAX_ACCUMULATOR_BYTES = 1_000_000;

/** @throws TypeError or RangeError when the accumulator would not come back from JSON and storage as it is. */
export function storable<Acc>(accumulator: Acc): Acc {
  if (accumulator === undefined || accumulator === null)
    throw new TypeError(`the accumulator is ${String(accumulator)}`);
  checkValue(accumulator);
  if (typeof accumulator === "number" || typeof accumulator === "boolean") return accumulator;
  const text = JSON.stringify(accumulator);
  // A UTF-16 unit is at most three bytes of UTF-8: only large ones need counting.
  const bytes = text.length * 3 <= MAX_ACCUMULATOR_BYTES ? 0 : byteLength(text);
  if (bytes > MAX_ACCUMULATOR_BYTES) {
    throw new RangeError(`the accumulator is ${bytes} bytes long; the limit is ${MAX_ACCUMULATOR_BYTES}`);
  }
  return accumulator;
}

/** A copy that a hook may change: if it throws half-way, the original is whole. */
export function copyOf<Acc>(accumulator: Acc): Acc {
  return typeof accumulator === "object" && accumulator !== null ? structuredClone(accumulator) : accumulator;
}

function checkValue(value: unknown): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (Number.isFinite(value)) return;
      throw new TypeError(`the accumulator holds ${value}, which JSON cannot hold`);
    case "object":
      if (value === null) return;
      if (Array.isArray(value)) {
        for (const item of value) checkValue(item);
        return;
      }
      if (!isPlain(value))
        throw new TypeError(
          `the accumulator holds a ${value.constructor?.name}; use plain objects and arrays`,
        );
      // A property that is undefined comes back missing, which reads the same.
      for (const item of Object.values(value)) if (item !== undefined) checkValue(item);
      return;
    default:
      throw new TypeError(`the accumulator holds a value of type ${typeof value}, which JSON cannot hold`);
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !("toJSON" in value);
}
