/** Curl: the lines that do in a terminal what the page does. */

/** Puts a text in quotes for a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const KEY = `-H "authorization: Bearer $MILLRACE_KEY" `;

/** @param path with its query, as the API takes it. */
export function getLine(origin: string, path: string, withKey: boolean): string {
  return `curl ${withKey ? KEY : ""}${quoted(origin + path)}`;
}

export function followLine(origin: string, path: string, withKey: boolean): string {
  return `curl -N -H 'accept: text/event-stream' ${withKey ? KEY : ""}${quoted(origin + path)}`;
}

/**
 * Sends one event.
 *
 * @param example a record as the source takes it, if it says so; otherwise an empty one, of which the answer says what it
 * has to have.
 */
export function sendLine(
  origin: string,
  source: string,
  example: string | undefined,
  withKey: boolean,
): string {
  const path = `/v1/sources/${encodeURIComponent(source)}`;
  const type = example === undefined || /^[[{]/.test(example) ? "application/json" : "text/plain";
  const body = quoted(example ?? "{}");
  return `curl -H 'content-type: ${type}' ${withKey ? KEY : ""}-d ${body} ${quoted(origin + path)}`;
}
