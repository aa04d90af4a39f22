/** Drawing: a job's graph: its edges as SVG, its nodes as buttons above it, laid out for the room that there is. */
import type { JSX } from "preact";
import { useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { curveOf, paceOf, thicknessOf } from "./curve.ts";
import type { GraphFacts } from "./facts.ts";
import { fitting } from "./layout.ts";
import type { JobGraph } from "./model.ts";
import { NodeCard } from "./node-card.tsx";
import type { Layout } from "./shapes.ts";
import { edgeLines } from "./words.ts";

export interface DrawingProps {
  readonly graph: JobGraph;
  readonly facts: GraphFacts;
  /** The node whose details are open. */
  readonly open: string | undefined;
  readonly onOpen: (name: string) => void;
}

export function Drawing({ graph, facts, open, onOpen }: DrawingProps): JSX.Element {
  const frame = useRef<HTMLElement>(null);
  const { width, scale } = useRoom(frame, open !== undefined);
  const layout = useMemo(
    () => (width === undefined ? undefined : fitting(graph, width, scale)),
    [graph, width, scale],
  );
  return (
    <section ref={frame} class="graph-frame" aria-label={`The graph of ${graph.job}`}>
      {layout === undefined ? null : (
        <div
          class={`graph-canvas graph-${layout.direction}`}
          style={{ width: `${layout.width}px`, height: `${layout.height}px` }}
        >
          <Edges graph={graph} facts={facts} layout={layout} />
          {graph.nodes.map((node) => {
            const box = layout.nodes.get(node.name);
            const known = facts.nodes.get(node.name);
            if (box === undefined || known === undefined) return null;
            const props = { node, facts: known, box, onOpen, open: open === node.name };
            return <NodeCard key={node.name} {...props} />;
          })}
        </div>
      )}
    </section>
  );
}

interface EdgesProps {
  readonly graph: JobGraph;
  readonly facts: GraphFacts;
  readonly layout: Layout;
}

/** Those who hear the page find what is here in the nodes' names and in the table. */
function Edges({ graph, facts, layout }: EdgesProps): JSX.Element {
  const arrow = useId();
  return (
    <>
      <svg class="graph-lines" width={layout.width} height={layout.height} aria-hidden="true">
        <marker
          id={arrow}
          viewBox="0 0 8 8"
          refX={7}
          refY={4}
          markerWidth={8}
          markerHeight={8}
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path class="graph-arrow" d="M0,0.5 L8,4 L0,7.5 Z" />
        </marker>
        {graph.edges.map(({ id }) => {
          const { rate, pressure } = facts.edges.get(id) ?? NOTHING;
          const path = curveOf(layout.edges.get(id)?.points ?? [], layout.direction);
          const end = `url(#${arrow})`;
          return (
            <g key={id}>
              <path class={`graph-edge level-${pressure.level}`} d={path} stroke-width={thicknessOf(rate)} />
              <path class="graph-edge-end" d={path} marker-end={end} />
              <path class={`graph-dashes pace-${paceOf(rate)}`} d={path} />
            </g>
          );
        })}
      </svg>
      {graph.edges.map(({ id }) => {
        const label = layout.edges.get(id)?.label;
        const known = facts.edges.get(id);
        if (label === undefined || known === undefined) return null;
        const { x, y, width, height } = label;
        const style = { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` };
        return (
          <div key={id} class="graph-edge-label" style={style} aria-hidden="true">
            <span>
              {edgeLines(known).map((line) => (
                <span key={line} class="graph-edge-line">
                  {line}
                </span>
              ))}
            </span>
          </div>
        );
      })}
    </>
  );
}

const NOTHING = { rate: 0, pressure: { level: "unknown" } } as const;

interface Room {
  /** Of the frame, in CSS pixels; undefined until it has been measured. */
  readonly width?: number;
  readonly scale: number;
}

/** @param hold while details are open, which take some of the room: then the drawing scrolls, and nothing in it moves. */
function useRoom(ref: { readonly current: HTMLElement | null }, hold: boolean): Room {
  const [room, setRoom] = useState<Room>({ scale: 1 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const measure = () => {
      const width = Math.floor(element.clientWidth);
      const scale = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
      setRoom((before) => {
        const held = hold && before.width !== undefined;
        return held || (before.width === width && before.scale === scale) ? before : { width, scale };
      });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref, hold]);
  return room;
}
