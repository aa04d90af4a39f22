/** The errors of a TestDriver: what a `send` or an `advance` came to that a test should not pass over. */
import type { Rejection } from "../engine/source/reader.ts";
import { InvalidEventError, MillraceError, messageOf, ShardRefusedError, StateError } from "../errors.ts";
import type { TestFailure } from "./test-runtime.ts";

/** Records that were not valid; the others were accepted. Over HTTP the answer lists them in the same way. */
export class RejectedRecordsError extends MillraceError {
  /** `index` counts the records of the call from 0. */
  readonly rejected: readonly Rejection[];

  constructor(source: string, records: number, rejected: readonly Rejection[]) {
    const reasons = rejected.map(({ index, error }) => `record ${index}: ${error}`).join("; ");
    super("test-driver", `source ${source} rejected ${rejected.length} of ${records}: ${reasons}`);
    this.rejected = rejected;
  }
}

/** The engine could not go on with something: an operator threw in a job whose policy is `fail`, say. */
export class StepFailedError extends MillraceError {
  readonly failures: readonly TestFailure[];

  constructor(failures: readonly TestFailure[]) {
    const [first] = failures;
    const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : "";
    super("test-driver", `${first?.about}: ${messageOf(first?.error)}${more}`, { cause: first?.error });
    this.failures = failures;
  }
}

const OWN = [ShardRefusedError, StateError, InvalidEventError];

/** What talks to the outside may fail and is tried again: that is for a test to provoke, and no error of its job. */
export function isExpected({ about, error }: TestFailure): boolean {
  return /: (sink|pull)$/.test(about) && !OWN.some((own) => error instanceof own);
}
