/** Server address: what `--url` may be, the same for all commands that talk to a server. */

/** An origin and a path, without a slash at its end. @throws what `wrong` makes of a message, when it is none. */
export function serverAddress(text: string, wrong: (message: string) => Error): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw wrong(`--url ${text}: give an address such as https://example.com.`);
  }
  if (url.username || url.search || url.hash) {
    throw wrong("--url takes only an origin and a path: give a key with --key or MILLRACE_KEY.");
  }
  return url.href.replace(/\/+$/, "");
}
