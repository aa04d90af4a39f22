/** byteLength: how long a text is where limits are in bytes. */

const encoder = new TextEncoder();
/** Messages aim below its size: most texts are written here over one another, rather than each into memory of its own. */
const buffer = new Uint8Array(65_536);

/** The bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  const { read, written } = encoder.encodeInto(text, buffer);
  return read === text.length ? written : encoder.encode(text).length;
}
