/**
 * OwnUsage: what an isolate of ingest has used for a source besides what its segments tell by themselves.
 *
 * Nothing is stored here, so the next segment that is sent says it (`Segment.used`), and whoever consumes that counts it;
 * what no segment follows is lost with the isolate.
 */
import type { Usage } from "../../engine/usage.ts";
import { sumOf } from "../../engine/usage.ts";

export class OwnUsage {
  #open: Usage | undefined;

  add(usage: Readonly<Usage>): void {
    this.#open = sumOf(this.#open ?? {}, usage);
  }

  /** For a segment that is packed now, and sent in the same turn; undefined when there is nothing to say. */
  get open(): Readonly<Usage> | undefined {
    return this.#open;
  }

  /** Nothing of it is left here, unless `sent` fails. */
  async sayWith(sent: Promise<void>): Promise<void> {
    const said = this.#open;
    this.#open = undefined;
    try {
      await sent;
    } catch (error) {
      if (said !== undefined) this.add(said);
      throw error;
    }
  }
}
