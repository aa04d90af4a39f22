/**
 * Probe: finds out whether a source takes pages, without sending any.
 *
 * Nothing in the API says what a source's events look like. But a request with `strict=1` is all or nothing, and names
 * everything that is wrong with it: so one is made whose last line is no JSON, and cannot be accepted by anybody.
 */
import { ApiProblem } from "../../api/problem.ts";
import { PATHS } from "./paths.ts";

/** Whatever answers a strict request that holds these lines of NDJSON. */
export type StrictPost = (source: string, body: string) => Promise<unknown>;

/** What becomes an event of a source that takes pages, and what to start with where it does not. */
export const PAGE_TEMPLATE = "{path}";

/** @returns undefined when the source does not say, or takes no pages; throws what the request throws otherwise. */
export async function templateOf(source: string, post: StrictPost): Promise<string | undefined> {
  const candidates = [PATHS[0], { url: PATHS[0] }];
  try {
    await post(source, [...candidates.map((value) => JSON.stringify(value)), "{"].join("\n"));
  } catch (thrown) {
    if (!(thrown instanceof ApiProblem) || thrown.status !== 400) throw thrown;
    const wrong = new Set(thrown.rejected.map(({ index }) => index));
    // That it is the last line, and not the whole request, that was refused.
    if (!wrong.has(candidates.length)) return undefined;
    if (!wrong.has(0)) return PAGE_TEMPLATE;
    if (!wrong.has(1)) return '{"url": "{path}"}';
  }
  return undefined;
}
