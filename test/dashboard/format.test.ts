/** Numbers, spans and texts as the page shows them. */
import { describe, expect, test } from "vitest";
import {
  formatBytes,
  formatCompact,
  formatNumber,
  formatRate,
  formatSpan,
  formatValue,
  visible,
} from "../../workers/dashboard/parts/format.ts";

test.each([
  [0, "0"],
  [1234567, "1,234,567"],
  [0.256, "0.26"],
  [-3, "-3"],
  [Number.NaN, "–"],
])("the number %d is %s", (n, text) => expect(formatNumber(n)).toBe(text));

test.each([
  [9_999, "9,999"],
  [12_345, "12.3K"],
  [4_560_000, "4.56M"],
])("the number %d is %s where there is little room", (n, text) => expect(formatCompact(n)).toBe(text));

test.each([
  [0, "0"],
  [0.01, "<0.1"],
  [2.25, "2.3"],
  [99.6, "100"],
  [25_000, "25K"],
])("the rate %d is %s", (n, text) => expect(formatRate(n)).toBe(text));

test.each([
  [0, "0 ms"],
  [340.4, "340 ms"],
  [2_140, "2.1 s"],
  [9_960, "10 s"],
  [59_990, "1 min"],
  [200_000, "3 min 20 s"],
  [3_600_000, "1 h"],
  [5_400_000, "1 h 30 min"],
  [187_200_000, "2 d 4 h"],
  [-1_500, "-1.5 s"],
])("the span of %d ms is %s", (ms, text) => expect(formatSpan(ms)).toBe(text));

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_500, "1.5 kB"],
  [128_000, "128 kB"],
  [25e9, "25 GB"],
])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test("a value of any kind is one line", () => {
  expect(formatValue(1234)).toBe("1,234");
  expect(formatValue("3 times")).toBe("3 times");
  expect(formatValue({ top: [1, 2] })).toBe('{"top":[1,2]}');
  expect(formatValue(undefined)).toBe("undefined");
});

describe("a text that anybody may have sent", () => {
  const shown = (text: string, max?: number) => {
    const { pieces, cut } = visible(text, max);
    return pieces.map((piece) => (piece.stands ? `[${piece.text}]` : piece.text)).join("") + (cut ? "…" : "");
  };

  test("is shown as it is", () => {
    for (const text of [
      "/home",
      "<img src=x onerror=alert(1)>",
      "ünïcode 日本 עברית",
      "😀",
      "👨‍👩‍👧",
      "👋🏽",
    ])
      expect(shown(text)).toBe(text);
  });

  test("shows what would hide in it, or move what is beside it", () => {
    expect(shown("/\u202egnp.exe")).toBe("/[U+202E]gnp.exe");
    expect(shown("a\0b\nc\u200bd\ufeff")).toBe("a[U+0000]b[U+000A]c[U+200B]d[U+FEFF]");
    expect(shown("\ud83d")).toBe("[U+D83D]");
    expect(shown("a\u200db")).toBe("a[U+200D]b");
    expect(shown("\u{e0041}")).toBe("[U+E0041]");
  });

  test("is cut between characters", () => {
    expect(shown("😀".repeat(100), 10)).toBe(`${"😀".repeat(9)}…`);
    expect(shown("a".repeat(10), 10)).toBe("a".repeat(10));
  });
});
