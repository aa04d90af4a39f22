/** Events: a feed's WebSocket handed on as server-sent events, for curl and whoever else has no WebSocket. */
import type { FeedSocket } from "../rpc.ts";
import type { LiveMessage } from "./message.ts";

/** A comment shows a viewer that the stream is alive, and the Worker that the viewer is. */
const QUIET_MS = 15_000;
/** Messages that wait for a viewer who does not read; then he is let go, and begins anew with a snapshot. */
const MOST_WAITING = 64;

/** The stream, until the viewer leaves or the feed ends. */
export function eventsOf(socket: FeedSocket): Response {
  const encoder = new TextEncoder();
  let quiet: ReturnType<typeof setInterval> | undefined;
  const leave = (): void => {
    if (quiet !== undefined) clearInterval(quiet);
    socket.close();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = (): void => {
          leave();
          try {
            controller.close();
          } catch {
            // The viewer has ended it already.
          }
        };
        const write = (text: string): void => {
          if ((controller.desiredSize ?? 0) < -MOST_WAITING) end();
          else controller.enqueue(encoder.encode(text));
        };
        socket.addEventListener("message", ({ data }) => write(eventOf(JSON.parse(String(data)))));
        socket.addEventListener("close", end);
        socket.addEventListener("error", end);
        quiet = setInterval(() => write(": nothing new\n\n"), QUIET_MS);
        socket.accept();
      },
      cancel: leave,
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" },
  });
}

/** JSON has no line breaks of its own, so one line of data is enough. */
function eventOf({ type, health, ...rest }: LiveMessage): string {
  return `event: ${type}\ndata: ${JSON.stringify(health ?? rest)}\n\n`;
}
