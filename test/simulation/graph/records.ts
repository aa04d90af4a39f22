/** Records: what isolates and clients send, and what of it is accepted. */
import type { Reading } from "../../../src/engine/source-executor.ts";
import type { Random } from "../random.ts";
import type { SentRecord } from "./functions.ts";
import { Violation } from "./violation.ts";

/** Most are on time, some are not, some are far behind, some come early. */
function drawTime(random: Random, now: number): number {
  const kind = random.next();
  if (kind < 0.6) return now - random.int(0, 5_000);
  if (kind < 0.8) return now - random.int(0, 60_000);
  return kind < 0.9 ? now - random.int(0, 3_600_000) : now + random.int(0, 20_000);
}

/** At least one, at most `most`. @param ids numbers them. @param now epoch milliseconds. */
export function drawRecords(random: Random, most: number, ids: { next: number }, now: number): SentRecord[] {
  return Array.from({ length: random.int(1, most) }, () => ({
    id: `e${ids.next++}`,
    key: random.chance(0.4) ? "hot" : `k${random.int(0, 20)}`,
    v: random.int(-5, 20),
    time: drawTime(random, now),
    ...(random.chance(0.05) ? { invalid: true } : {}),
  }));
}

/** What was accepted; it is what is valid, but for what a job refuses that fails where others keep dead letters. */
export function acceptedOf(records: readonly SentRecord[], { accepted, rejected }: Reading): SentRecord[] {
  const refused = new Set(rejected.filter(({ error }) => error !== "invalid").map(({ index }) => index));
  const left = records.filter(({ invalid }, index) => invalid !== true && !refused.has(index));
  if (left.length !== accepted)
    throw new Violation(`${accepted} of ${left.length} valid records were accepted`);
  const [wrong] = rejected.filter(
    ({ error }) => error !== "invalid" && !/failed: broken until mended$/.test(error),
  );
  if (wrong !== undefined) throw new Violation(`a valid record was rejected: ${wrong.error}`);
  return left;
}
