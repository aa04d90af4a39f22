/** Text: dead letters as lines of a table, and one of them whole. What they say comes from anywhere: it is made printable. */
import { table } from "../plan/table.ts";
import { printable } from "../send/failure.ts";
import type { Letter, Page } from "./client.ts";

const LONGEST_ERROR = 80;

/** @param all whether these are all that there are. */
export function listText({ events, messages, entries }: Page, all: boolean): string {
  if (entries.length === 0) return "There are no dead letters.\n";
  const head = ["id", "when", "events", "operator or queue", "error"];
  const counts = `${plural(events, "event")} in dead letters, ${plural(messages, "buried message")}.`;
  const more = all ? [] : [`These are the first ${entries.length}: --limit N or --all shows more.`];
  return lines([...table(head, entries.map(rowOf), [2]), "", counts, ...more]);
}

function rowOf(letter: Letter): string[] {
  const { id, time } = letter;
  return letter.kind === "event"
    ? [id, time, String(letter.events), printable(letter.operator), printable(letter.error, LONGEST_ERROR)]
    : [id, time, "", printable(letter.queue), reasonOf(letter, LONGEST_ERROR)];
}

/** All that is known of a dead letter, its event or body at the end. */
export function letterText(letter: Letter): string {
  const { kind, id, time, ...rest } = letter;
  if (letter.kind === "message") {
    const { queue, body } = letter;
    return lines([
      ...table(
        ["message", id],
        [
          ["buried", time],
          ["queue", printable(queue)],
          ["reason", reasonOf(letter)],
        ],
      ),
      "",
      ...printableLines(body),
    ]);
  }
  const { source, operator, error, events, ...content } = rest;
  return lines([
    ...table(
      ["event", id],
      [
        ["failed", time],
        ["from", printable(String(source))],
        ["operator", printable(String(operator))],
        ["error", printable(String(error), 1000)],
        ["events", String(events)],
      ],
    ),
    "",
    // An event, the record of a key, or a timer.
    ...printableLines(JSON.stringify(content, null, 2)),
  ]);
}

export function redrivenText(redriven: number): string {
  if (redriven === 0) return "There was nothing to send again.\n";
  return `${plural(redriven, "dead letter")} sent again. What fails again will be listed again.\n`;
}

function reasonOf({ reason, redrivable }: Letter & { kind: "message" }, limit?: number): string {
  return `${printable(reason, limit)}${redrivable ? "" : " (cannot be sent again)"}`;
}

function plural(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

function printableLines(text: string): string[] {
  return text.split("\n").map((line) => printable(line, line.length));
}

function lines(text: readonly string[]): string {
  return `${text.join("\n")}\n`;
}
