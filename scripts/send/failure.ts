/** The one error type that `send` shows to its user: a sentence that says what is wrong and what to do. */
export class SendError extends Error {
  override readonly name = "SendError";
}

/** What a thrown value says, in one line; a network error says its cause, which is where Node puts the reason. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return printable(String(thrown));
  const { cause } = thrown;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  if (cause instanceof Error) return reasonOf(cause);
  const code = (thrown as NodeJS.ErrnoException).code;
  return printable(thrown.message || code || thrown.name);
}

/** `text` cut to `limit` characters and without control characters: logs and answers may carry terminal escapes. */
export function printable(text: string, limit = 300): string {
  const clean = text.slice(0, limit + 1).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "·");
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
}
