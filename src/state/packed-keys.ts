/**
 * PackedKeys: keys in order, as one string.
 *
 * A page has thousands of them. A string each takes twice the memory, and the garbage collector walks over every one;
 * packed, a million keys are a few hundred objects.
 */

/** What stands between two keys. It makes the text the inside of a JSON array, for keys that JSON writes as they are. */
const SEPARATOR = '","';
/** Keys from one sample to the next: their heads are two lines of a processor's cache. */
const SAMPLED = 32;

export class PackedKeys {
  readonly length: number;
  readonly #text: string;
  /** Where each key ends in the text. */
  readonly #ends: Uint32Array;
  /** How many characters all keys begin with in common. */
  readonly #shared: number;
  /** What follows that in each key, a few characters as a number: close together in memory, and mostly enough to tell keys apart. */
  readonly #heads: Uint32Array;
  /** Every so manyth of them: a search that starts here touches little memory, and the same for all keys of a page. */
  readonly #samples: Uint32Array;
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
    this.#heads = new Uint32Array(keys.length);
    for (let at = 0; at < keys.length; at++) this.#heads[at] = headOf(keys[at] as string, this.#shared);
    this.#samples = new Uint32Array(Math.ceil(keys.length / SAMPLED));
    for (let n = 0; n < this.#samples.length; n++) this.#samples[n] = this.#heads[n * SAMPLED] as number;
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

  /**
   * The place of a key; if it is not there, `~place` of the first key that sorts after it.
   *
   * @param known how many characters it is known to begin with as all of them do.
   */
  find(key: string, known = 0): number {
    const text = this.#text;
    const ends = this.#ends;
    const heads = this.#heads;
    const shared = this.#shared;
    const { length } = key;
    // What all of them begin with is compared once, not with each of them.
    for (let at = known; at < shared; at++) {
      if (at >= length) return ~0;
      const difference = key.charCodeAt(at) - text.charCodeAt(at);
      if (difference !== 0) return difference < 0 ? ~0 : ~this.length;
    }
    const wanted = headOf(key, shared);
    const samples = this.#samples;
    let sample = 0;
    for (let end = samples.length; sample < end; ) {
      const middle = (sample + end) >>> 1;
      if ((samples[middle] as number) < wanted) sample = middle + 1;
      else end = middle;
    }
    // Many keys may have the same head.
    let beyond = sample;
    while (beyond < samples.length && samples[beyond] === wanted) beyond++;
    let low = Math.max(0, sample - 1) * SAMPLED;
    let high = Math.min(this.length, beyond * SAMPLED);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const head = heads[middle] as number;
      let difference = head - wanted;
      if (difference === 0) {
        const end = ends[middle] as number;
        let from = this.#start(middle) + shared;
        let at = shared;
        while (from < end && at < length) {
          difference = text.charCodeAt(from++) - key.charCodeAt(at++);
          if (difference !== 0) break;
        }
        // One that begins with the other sorts after it.
        if (difference === 0) difference = end - from - (length - at);
        if (difference === 0) return middle;
      }
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

/** How many characters two texts begin with in common. */
export function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}

/**
 * Four characters of a key from `start` on, as a number: a key with a smaller one sorts before; the same number says
 * nothing. A character that does not fit a byte is as the largest, and those behind it do not count.
 */
function headOf(key: string, start: number): number {
  let head = 0;
  for (let at = start; at < start + 4; at++) {
    const code = at < key.length ? key.charCodeAt(at) : 0;
    if (code >= 0xff) return (head * 0x100 + 0xff) * 0x100 ** (start + 3 - at);
    head = head * 0x100 + code;
  }
  return head;
}
