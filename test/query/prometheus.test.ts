/** Prometheus text: its form, and what must be escaped. */
import { expect, test } from "vitest";
import { family } from "../../src/cloudflare/query/prometheus.ts";

test("a metric has its help, its type and a line for each labels", () => {
  const text = family("x_total", "counter", "How many.", [
    [{ a: "1", b: "2" }, 3],
    [{}, 0.5],
  ]);
  expect(text).toBe(
    '# HELP x_total How many.\n# TYPE x_total counter\nx_total{a="1",b="2"} 3\nx_total 0.5\n',
  );
});

test("labels and help are escaped", () => {
  const text = family("x", "gauge", "a\\b\nc", [[{ l: 'a\\b"c\nd' }, 1]]);
  expect(text).toBe('# HELP x a\\\\b\\nc\n# TYPE x gauge\nx{l="a\\\\b\\"c\\nd"} 1\n');
});

test("nothing known, nothing said", () => {
  expect(family("x", "gauge", "help", [])).toBe("");
});
