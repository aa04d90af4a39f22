/** What some values became when they were first stored: the same for ever, in Node as in workerd. */
import type { QuantileSketch } from "../../src/aggregates/quantiles.ts";

/** For `approxDistinct`: both kinds of values, more than ASCII, and texts on both sides of the hash's 16-byte blocks. */
export const KNOWN_VALUES: readonly (number | string)[] = [
  "",
  "a",
  "1",
  1,
  -2.5,
  "Zürich \u{1f30d}",
  "a text that is longer than the sixteen bytes of a lane",
];

export const KNOWN_HASHES: readonly number[] = [
  98456230258070, 191521431238405, 1304372060710535, 2992520793334414, 6014516240321712, 6436099061482704,
  8065615416915699,
];

/** 1,000 texts from "value-0" on: the fingerprint of their registers, and the estimate. */
export const KNOWN_REGISTERS = { fingerprint: "f442d358aed839f6", estimate: 993 };

/** For `quantiles`. */
export const KNOWN_NUMBERS: readonly number[] = [-1e9, -3, 0, 1e-9, 0.1, 1, 2, 3, 1e9];

export const KNOWN_BINS: QuantileSketch = {
  zeros: 1,
  positive: [
    [-1010, -115, 0, 35, 55, 1037],
    [1, 1, 1, 1, 1, 1],
  ],
  negative: [
    [55, 1037],
    [1, 1],
  ],
};
