/**
 * PackedKeys: keys in order, as one string.
 *
 * A page has thousands of them. A string each takes twice the memory, and the garbage collector walks over every one;
 * packed, a million keys are a few hundred objects.
 */

/** What stands between two keys. It makes the text the inside of a JSON array, for keys that JSON writes as they are. */
const SEPARATOR = '","';

export class PackedKeys {
  readonly length: number;
  readonly #text: string;
  /** Where each key ends in the text. */
  readonly #ends: Uint32Array;
  /** How many characters all keys begin with in common. */
  readonly #shared: number;
  /** Whether JSON writes all keys as they are; undefined until somebody asks. */
  #plain: boolean | undefined;

  /** @param keys sorted, without repetition. */
  constructor(keys: readonly string[]) {
    this.length = keys.length;
    this.#text = keys.join(SEPARATOR);
    this.#ends = new Uint32Array(keys.length);
    let end = 0;
    for (let at = 0; at < keys.length; at++) {
      end += (keys[at] as string).length;
      this.#ends[at] = end;
      end += SEPARATOR.length;
    }
    // Whatever the first and the last begin with in common, those between do too.
    this.#shared = keys.length === 0 ? 0 : commonStart(keys[0] as string, keys.at(-1) as string);
  }

  /** Characters, with what stands between keys. */
  get characters(): number {
    return this.#text.length;
  }

  get(at: number): string {
    return this.#text.slice(this.#start(at), this.#ends[at]);
  }

  list(): string[] {
    return Array.from({ length: this.length }, (_, at) => this.get(at));
  }

  /** The place of a key; if it is not there, `~place` of the first key that sorts after it. */
  find(key: string): number {
    const text = this.#text;
    const ends = this.#ends;
    const shared = this.#shared;
    const { length } = key;
    // What all of them begin with is compared once, not with each of them.
    for (let at = 0; at < shared; at++) {
      if (at >= length) return ~0;
      const difference = key.charCodeAt(at) - text.charCodeAt(at);
      if (difference !== 0) return difference < 0 ? ~0 : ~this.length;
    }
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const end = ends[middle] as number;
      let from = (middle === 0 ? 0 : (ends[middle - 1] as number) + SEPARATOR.length) + shared;
      let difference = 0;
      let at = shared;
      while (from < end && at < length) {
        difference = text.charCodeAt(from++) - key.charCodeAt(at++);
        if (difference !== 0) break;
      }
      // One that begins with the other sorts after it.
      if (difference === 0) difference = end - from - (length - at);
      if (difference === 0) return middle;
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  /** As a JSON array. */
  json(): string {
    if (this.length === 0) return "[]";
    if (this.#plain === true) return `["${this.#text}"]`;
    const json = JSON.stringify(this.list());
    // To escape something makes it longer.
    this.#plain ??= json.length === this.#text.length + 4;
    return json;
  }

  #start(at: number): number {
    return at === 0 ? 0 : (this.#ends[at - 1] as number) + SEPARATOR.length;
  }
}

function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}
