/** Identity: what must be the same for an interrupted send to go on under the same producer. */
import { createHash } from "node:crypto";
import type { CutSettings } from "./batches.ts";
import { SendError } from "./failure.ts";
import type { Stamp } from "./input.ts";

export const VERSION = 1;

/** Servers remember what a producer has sent for 14 days at most; one day is left for the send itself. */
const MAX_AGE_MS = 13 * 86_400_000;

export interface Settings extends CutSettings {
  readonly replay: boolean;
}

/** What must be the same for a send to go on under the same identity. */
export interface Identity {
  /** The address that is posted to, with the source in it. */
  readonly endpoint: string;
  /** The server keeps producers of different keys apart, so another key would count everything again. */
  readonly key: string | undefined;
  readonly inputs: readonly Stamp[];
  readonly settings: Settings;
}

/** The first line of a journal. */
export interface Header {
  readonly version: number;
  readonly producer: string;
  readonly created: string;
  readonly endpoint: string;
  readonly key: string;
  readonly inputs: readonly Stamp[];
  readonly settings: Settings;
}

/** The same for the same destination and files, so that a send that differs only in its settings is found out. */
export function nameOf(identity: Identity): string {
  const parts = [identity.endpoint, ...identity.inputs.map((input) => input.path)];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** Salted with the producer, so that a journal says nothing about the key that another one does not. */
export function fingerprint(key: string | undefined, producer: string): string {
  return key === undefined
    ? "none"
    : createHash("sha256").update(`${producer} ${key}`).digest("hex").slice(0, 16);
}

/** Throws a `SendError` that says what is different and what to do. */
export function checkSame(header: Header, identity: Identity): void {
  const change = changeOf(header, identity);
  if (change === undefined) return;
  throw new SendError(
    `An earlier send of this input is unfinished, and ${change}. ` +
      "Use --fresh to send everything as new: what was already applied will then be counted again.",
  );
}

function changeOf(header: Header, { inputs, settings, key }: Identity): string | undefined {
  if (header.version !== VERSION) return "another version of this program began it";
  if (Date.now() - Date.parse(header.created) > MAX_AGE_MS) {
    return `it began at ${header.created}, longer ago than the server remembers what it has`;
  }
  const changed = inputs.find((input, i) => JSON.stringify(input) !== JSON.stringify(header.inputs[i]));
  if (changed !== undefined) return `${changed.path} has changed since`;
  const { batch, format, replay } = header.settings;
  if (batch !== settings.batch) return `it was begun with --batch ${batch}`;
  if (format !== settings.format) return `it was begun with --format ${format}`;
  if (replay !== settings.replay) return `it was begun ${replay ? "with" : "without"} --replay`;
  return fingerprint(key, header.producer) === header.key ? undefined : "it was begun with another key";
}
