/** Draws the rate from how a total was seen to grow. */
import { expect, it } from "vitest";
import { RateMeter } from "../../../workers/dashboard/overview/rate-meter.ts";

it("knows no rate before it has seen two moments", () => {
  const meter = new RateMeter();
  expect(meter.perSecond).toBeUndefined();
  meter.see(1000, 50);
  expect(meter.perSecond).toBeUndefined();
  meter.see(2000, 53);
  expect(meter.perSecond).toBe(3);
});

it("is the growth over the last ten seconds, and falls to nothing when nothing comes", () => {
  const meter = new RateMeter();
  for (let second = 0; second <= 30; second++) meter.see(second * 1000, Math.min(second, 20) * 7);
  expect(meter.perSecond).toBe(0);
  const half = new RateMeter();
  for (let second = 0; second <= 25; second++) half.see(second * 1000, Math.min(second, 20) * 7);
  expect(half.perSecond).toBeCloseTo(3.5);
});

it("does not take for a burst what was counted while nobody looked", () => {
  const meter = new RateMeter();
  meter.see(0, 0);
  meter.see(1000, 1);
  meter.pause();
  meter.see(60_000, 10_000);
  expect(meter.perSecond).toBeUndefined();
  meter.see(61_000, 10_002);
  expect(meter.perSecond).toBe(2);
});

it("begins anew when a total falls", () => {
  const meter = new RateMeter();
  meter.see(0, 100);
  meter.see(1000, 5);
  expect(meter.perSecond).toBeUndefined();
});

it("keeps a point a second, and ten minutes of them", () => {
  const meter = new RateMeter();
  for (let quarter = 0; quarter < 4 * 700; quarter++) meter.see(1_000_000 + quarter * 250, quarter);
  expect(meter.curve.length).toBe(600);
  expect(meter.curve.at(-1)?.value).toBeCloseTo(4);
  const gaps = meter.curve.slice(1).map(({ time }, i) => time - (meter.curve[i]?.time ?? 0));
  expect(new Set(gaps)).toEqual(new Set([1000]));
});
