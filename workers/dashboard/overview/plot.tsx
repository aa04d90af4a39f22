/** Plot: a uPlot chart in a box of its own, drawn anew when the data, the box or the colours change. */
import "uplot/dist/uPlot.min.css";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { theme } from "../state/theme.ts";
import type { Ink } from "./ink.ts";
import { inkOf } from "./ink.ts";

export interface PlotProps {
  readonly data: uPlot.AlignedData;
  /** The series and their scales; another function is another chart. */
  readonly options: (ink: Ink) => Pick<uPlot.Options, "series" | "scales">;
  /** Told which point is pointed at; undefined when none is. */
  readonly onPoint?: (index: number | undefined) => void;
}

/** What it shows is told besides, as text: the picture itself is hidden from those who do not see it. */
export function Plot({ data, options, onPoint }: PlotProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef({ data, onPoint });
  latest.current = { data, onPoint };
  const scheme = useScheme();
  const chosen = theme.value;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const make = () => {
      const ink = inkOf(element);
      const { series, scales = {} } = options(ink);
      plot.current?.destroy();
      plot.current = new uPlot(
        {
          width: Math.max(1, element.clientWidth),
          height: Math.max(1, element.clientHeight),
          ms: 1,
          series,
          scales,
          legend: { show: false },
          cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
          padding: [ink.size * 0.6, ink.size * 1.5, 0, 0],
          axes: axesOf(ink),
          hooks: { setCursor: [({ cursor }) => latest.current.onPoint?.(cursor.idx ?? undefined)] },
        },
        latest.current.data,
        element,
      );
    };
    make();
    let size = inkOf(element).size;
    const observer = new ResizeObserver(() => {
      const now = inkOf(element).size;
      if (now !== size) make();
      else plot.current?.setSize({ width: element.clientWidth, height: element.clientHeight });
      size = now;
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [options, scheme, chosen]);

  useEffect(() => plot.current?.setData(data), [data]);
  return <div ref={box} class="ov-plot" aria-hidden="true" />;
}

function axesOf({ text, line, font, size }: Ink): uPlot.Axis[] {
  const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const exact = new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });
  const compact = new Intl.NumberFormat("en", { notation: "compact" });
  const common = { stroke: text, font, ticks: { show: false } };
  return [
    {
      ...common,
      size: size * 2,
      gap: size * 0.4,
      space: size * 5,
      grid: { show: false },
      values: (_, splits, __, ___, step) =>
        splits.map((at) => (step >= 86_400_000 ? day : step < 60_000 ? exact : clock).format(at)),
    },
    {
      ...common,
      size: size * 3.2,
      gap: size * 0.5,
      space: size * 3,
      grid: { stroke: line, width: 1 },
      values: (_, splits) => splits.map((n) => compact.format(n)),
    },
  ];
}

/** Whether the system is dark: colours that follow it are read anew when it changes. */
function useScheme(): boolean {
  const [dark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setDark(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  return dark;
}
