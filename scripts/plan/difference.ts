/** A line difference of two short texts, as a reader of `diff -u` expects it. */

const CONTEXT = 2;

/** Lines that begin with `- ` (only in `before`), `+ ` (only in `after`) or two spaces; far from a change, `…`. */
export function difference(before: string, after: string): string[] {
  const lines = align(before.split("\n"), after.split("\n"));
  const near = (at: number) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some((line) => !line.startsWith(" "));
  return lines.flatMap((line, at) => {
    if (near(at)) return [line.trimEnd()];
    return at === 0 || near(at - 1) ? ["  …"] : [];
  });
}

/** By the longest common subsequence; quadratic, which is fine for a config. */
function align(before: readonly string[], after: readonly string[]): string[] {
  const common = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  const lengthAt = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    const row = common[i] ?? [];
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] =
        before[i] === after[j]
          ? lengthAt(i + 1, j + 1) + 1
          : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
    }
  }
  const lines: string[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length; ) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push(`  ${before[i]}`);
      i++;
      j++;
    } else if (i < before.length && (j === after.length || lengthAt(i + 1, j) >= lengthAt(i, j + 1))) {
      lines.push(`- ${before[i++]}`);
    } else {
      lines.push(`+ ${after[j++]}`);
    }
  }
  return lines;
}
