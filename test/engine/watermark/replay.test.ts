/** A replay: what each request may be late for, and how far the log has come, whatever the order of its commits. */
import { describe, expect, test } from "vitest";
import type { ReplayState } from "../../../src/engine/watermark/replay.ts";
import { admit, commit, isRunning, newReplay, REPLAY_IDLE_MS } from "../../../src/engine/watermark/replay.ts";
import { Random } from "../../simulation/random.ts";

describe.each([...Array(30).keys()])("seed %i", (seed) => {
  const random = new Random(seed);
  const latest = Array.from({ length: random.int(1, 40) }, () => random.int(0, 1_000));
  const maxima = latest.map((_, n) => Math.max(-1, ...latest.slice(0, n)));

  test("fronts are the prefix maxima; the watermark follows the contiguous committed prefix", () => {
    let replay = newReplay(0);
    const waiting: number[] = [];
    const committed = new Set<number>();
    let next = 0;
    while (committed.size < latest.length) {
      // Stored and loaded at any time.
      if (random.chance(0.2)) replay = JSON.parse(JSON.stringify(replay)) as ReplayState;
      if (next < latest.length && random.chance(0.6)) {
        const request = { sequence: next, latest: latest[next] as number, end: next === latest.length - 1 };
        expect(admit(replay, request, next)).toEqual({ front: maxima[next] });
        // Once more: the same answer, and it counts once.
        expect(admit(replay, request, next)).toEqual({ front: maxima[next] });
        if (next + 2 < latest.length) {
          const ahead = { sequence: next + 2, latest: 5_000, end: false };
          expect(admit(replay, ahead, next)).toEqual({ wait: next + 1 });
        }
        waiting.push(next++);
      } else if (waiting.length > 0) {
        const [n] = waiting.splice(random.int(0, waiting.length - 1), 1) as [number];
        commit(replay, n);
        if (random.chance(0.3)) commit(replay, n);
        committed.add(n);
      }
      const prefix = latest.findIndex((_, n) => !committed.has(n));
      const done = prefix === -1 ? latest.length : prefix;
      expect(replay.committed).toBe(done);
      expect(replay.reached).toBe(Math.max(-1, ...latest.slice(0, done)));
      // Never ahead of what something uncommitted may be late for.
      for (const n of waiting) expect(replay.reached).toBeLessThanOrEqual(maxima[n] as number);
      expect(isRunning(replay, next)).toBe(done < latest.length);
    }
    expect(replay.open).toEqual([]);
  });
});

test("after its end nothing more is let in; what was let in before is known again", () => {
  const replay = newReplay(0);
  admit(replay, { sequence: 0, latest: 5, end: false }, 0);
  admit(replay, { sequence: 1, latest: 7, end: true }, 0);
  expect(admit(replay, { sequence: 1, latest: 7, end: true }, 0)).toEqual({ front: 5 });
  expect(admit(replay, { sequence: 2, latest: 9, end: false }, 0)).toEqual({
    refused: "its end was request 1",
  });
  expect(admit(replay, { sequence: 4, latest: 9, end: false }, 0)).toEqual({ wait: 2 });
  commit(replay, 1);
  commit(replay, 0);
  expect(replay).toMatchObject({ committed: 2, reached: 7, open: [] });
  expect(isRunning(replay, 0)).toBe(false);
});

test("one whose sender has gone is given up, and goes on when he is back", () => {
  const replay = newReplay(1_000);
  admit(replay, { sequence: 0, latest: 5, end: false }, 1_000);
  expect(isRunning(replay, 1_000 + REPLAY_IDLE_MS - 1)).toBe(true);
  expect(isRunning(replay, 1_000 + REPLAY_IDLE_MS)).toBe(false);
  admit(replay, { sequence: 1, latest: 5, end: false }, 2_000 + REPLAY_IDLE_MS);
  expect(isRunning(replay, 2_000 + REPLAY_IDLE_MS)).toBe(true);
});
