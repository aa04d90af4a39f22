/** Viewers: many who watch a live view at the same time, and one who waits for what he has posted. */
import { setTimeout as sleep } from "node:timers/promises";
import { post } from "./bodies.ts";
import { Connection } from "./connection.ts";
import type { Address, PushJob, PushResult, WatchJob, WatchResult } from "./protocol.ts";
import { percentiles } from "./protocol.ts";

const PATIENCE_MS = 5_000;
/** Handshakes under way at a time. */
const AT_ONCE = 50;
const PUSH_EVERY_MS = 200;

interface Viewer {
  readonly socket: WebSocket;
  /** Messages since its snapshot. */
  told: number;
  lost: boolean;
}

let watching: readonly Viewer[] = [];

/** Lets the viewers before go and brings in new ones; done when each of them has its snapshot. */
export async function watch({ to, path, viewers }: WatchJob): Promise<WatchResult> {
  const before = watching;
  const counts = before.map(({ told }) => told);
  const lost = before.filter((viewer) => viewer.lost).length;
  for (const { socket } of before) socket.close();
  const opened: Viewer[] = [];
  while (opened.length < viewers) {
    const some = Array.from({ length: Math.min(AT_ONCE, viewers - opened.length) }, () => open(to, path));
    opened.push(...(await Promise.all(some)));
  }
  watching = opened;
  return {
    least: counts.length === 0 ? 0 : Math.min(...counts),
    most: Math.max(0, ...counts),
    messages: counts.reduce((sum, count) => sum + count, 0),
    lost,
  };
}

function open(to: Address, path: string): Promise<Viewer> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${to.host}:${to.port}${path}`);
    const viewer: Viewer = { socket, told: -1, lost: false };
    socket.addEventListener("message", () => {
      viewer.told++;
      if (viewer.told === 0) resolve(viewer);
    });
    socket.addEventListener("close", () => {
      viewer.lost = true;
      reject(new Error(`a viewer of ${path} was turned away`));
    });
  });
}

export async function push({ to, path, seconds }: PushJob): Promise<PushResult> {
  const key = `/push/${process.pid}-${Date.now()}`;
  const socket = new WebSocket(`ws://${to.host}:${to.port}${path}${encodeURIComponent(key)}`);
  let value = -1;
  let wake: (() => void) | undefined;
  socket.addEventListener("message", ({ data }) => {
    const { entries } = JSON.parse(String(data)) as { entries: readonly { value: number }[] };
    value = entries[0]?.value ?? 0;
    wake?.();
  });
  const reaches = async (wanted: number): Promise<boolean> => {
    const late = sleep(PATIENCE_MS, false, { ref: false });
    while (value < wanted) {
      const told = new Promise<true>((resolve) => {
        wake = () => resolve(true);
      });
      if (!(await Promise.race([told, late]))) return false;
    }
    return true;
  };
  await reaches(0);
  const connection = await Connection.open(to);
  const request = post(`${to.host}:${to.port}`, JSON.stringify([{ url: key }]));
  const times: number[] = [];
  let accepted = 0;
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    const posted = performance.now();
    const { status } = await connection.send(request);
    if (status === 202) accepted++;
    const isTold = status === 202 && (await reaches(accepted));
    times.push(isTold ? performance.now() - posted : Number.POSITIVE_INFINITY);
    await sleep(Math.max(0, posted + PUSH_EVERY_MS - performance.now()));
  }
  connection.close();
  socket.close();
  return { accepted, told: percentiles(times) };
}
