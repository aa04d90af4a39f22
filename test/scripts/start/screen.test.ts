import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Board } from "../../../scripts/start/board.ts";
import { type Count, Screen } from "../../../scripts/start/screen.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function screen() {
  const output: string[] = [];
  const it = new Screen({ reader: "ClickReader", noun: "clicks", write: (text) => void output.push(text) });
  return { it, output };
}

const many = (count: number) => Array.from({ length: count }, (_, i) => `/${i}`);

test("shows a few lines each for itself, and the number of many", () => {
  const { it, output } = screen();
  it.accepted(["/home", "/about"]);
  expect(output).toEqual(["ClickReader --> /home\n", "ClickReader --> /about\n"]);
  it.accepted(many(1_000));
  it.accepted(many(234));
  vi.advanceTimersByTime(1_000);
  expect(output.slice(2)).toEqual(["ClickReader --> 1,234 clicks\n"]);
  it.accepted(["/later"]);
  expect(output.at(-1)).toBe("ClickReader --> /later\n");
});

test("tells apart who has the lines", () => {
  const { it, output } = screen();
  it.accepted(many(15));
  it.taken("slow", many(15));
  it.taken("slow", many(1_500));
  it.accepted(["/home"]);
  expect(output.filter((line) => line.startsWith("slow --> "))).toHaveLength(15);
  expect(output.at(-1)).toBe("ClickReader --> /home\n");
  vi.advanceTimersByTime(1_000);
  expect(output.at(-1)).toBe("slow --> 1,500 clicks\n");
});

test("shows the first refusals, and the number of the others", () => {
  const { it, output } = screen();
  for (let i = 0; i < 100; i++) it.rejected("\x1b[2J", "not text");
  vi.advanceTimersByTime(1_000);
  expect(output).toHaveLength(6);
  expect(output[0]).toBe('ClickReader refused "·[2J": not text\n');
  expect(output[5]).toBe("ClickReader refused 95 more lines, the last one: not text\n");
});

test("says the same notice only every few seconds", () => {
  const { it, output } = screen();
  for (let i = 0; i < 60; i++) {
    it.notice("no answer; trying again");
    vi.advanceTimersByTime(100);
  }
  expect(output).toEqual(["  ! no answer; trying again\n", "  ! no answer; trying again\n"]);
});

test("reads and shows the busiest changed keys at most twice a second, and nothing when nothing changes", async () => {
  const blocks: { counts: readonly Count[]; more: number }[] = [];
  const read = vi.fn(async ({ key }: { key: string }) => Number(key.slice(1)));
  const board = new Board({ read, show: (_, counts, more) => void blocks.push({ counts, more }) });
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 30; i++) {
      for (let n = 0; n <= i; n++) board.changed({ view: "page-views", key: `/${i}` });
    }
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.runAllTimersAsync();
  expect(blocks.length).toBeGreaterThanOrEqual(4);
  expect(blocks.length).toBeLessThanOrEqual(5);
  expect(blocks[1]?.counts.map(({ key }) => key)).toEqual(many(30).slice(20).reverse());
  expect(blocks[1]?.more).toBe(20);
  const reads = read.mock.calls.length;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(read).toHaveBeenCalledTimes(reads);
});
