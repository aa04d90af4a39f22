import { expect, test } from "vitest";
import { LineSplitter, MAX_LINE_BYTES } from "../../../scripts/start/lines.ts";

function split(chunks: readonly (string | Buffer)[]) {
  const splitter = new LineSplitter();
  const lines = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
  return [...lines, ...splitter.end()];
}

test("cuts lines wherever the chunks are cut", () => {
  const bytes = Buffer.from("/home\r\n\n  /über ?\n\t\n/last");
  const expected = [{ text: "/home" }, { text: "/über ?" }, { text: "/last" }];
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(split([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected);
  }
  expect(split([...bytes].map((byte) => Buffer.from([byte])))).toEqual(expected);
});

test("keeps what it was given, even if the chunk is used again", () => {
  const splitter = new LineSplitter();
  const chunk = Buffer.from("/ho");
  splitter.push(chunk);
  chunk.fill(0);
  expect(splitter.push(Buffer.from("me\n"))).toEqual([{ text: "/home" }]);
});

test("says of what is no text why not", () => {
  expect(split([Buffer.from([0xff, 0x41, 10])])).toEqual([{ error: "not UTF-8 text", start: "ÿA" }]);
  expect(split(["a\0b\n/ok\n"])).toEqual([
    { error: "has control characters", start: "a\0b" },
    { text: "/ok" },
  ]);
});

test("refuses a line over the limit without keeping it", () => {
  const longest = "x".repeat(MAX_LINE_BYTES);
  expect(split([`${longest}\n/ok`])).toEqual([{ text: longest }, { text: "/ok" }]);
  const chunks = Array.from({ length: 1000 }, () => "y".repeat(1000));
  const [refused, next] = split([...chunks, "\n/ok"]);
  expect(refused).toEqual({ error: `longer than ${MAX_LINE_BYTES} bytes`, start: `${"y".repeat(60)}…` });
  expect(next).toEqual({ text: "/ok" });
});
