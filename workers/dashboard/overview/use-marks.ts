/** useMarks: which rows changed a moment ago. */
import { useEffect, useRef, useState } from "preact/hooks";

const MARK_MS = 1_000;

/** @param changed what the last change touched; another set means another change. */
export function useMarks(changed: ReadonlySet<string>): ReadonlySet<string> {
  const [marks, setMarks] = useState<ReadonlySet<string>>(new Set());
  const until = useRef(new Map<string, number>());
  useEffect(() => {
    if (changed.size === 0) return;
    const now = Date.now();
    for (const id of changed) until.current.set(id, now + MARK_MS);
    setMarks(new Set(until.current.keys()));
  }, [changed]);
  useEffect(() => {
    if (marks.size === 0) return;
    const timer = setTimeout(() => {
      const now = Date.now();
      for (const [id, end] of until.current) if (end <= now) until.current.delete(id);
      setMarks(new Set(until.current.keys()));
    }, MARK_MS);
    return () => clearTimeout(timer);
  }, [marks]);
  return marks;
}
