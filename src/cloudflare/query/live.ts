/** Live: hands a viewer over to the feed of what he watches: by WebSocket, or as server-sent events. */
import type { Context } from "hono";
import { eventsOf } from "../live/events.ts";
import type { Topic } from "../live/topic.ts";
import { feedUrl } from "../live/topic.ts";
import type { QueryEnv } from "./env.ts";

/** For the OpenAPI document. */
export const HOW_LIVE =
  "With `Upgrade: websocket`, messages are JSON with a `type`; otherwise they are server-sent events of that name. On a " +
  "WebSocket, `ping` is answered `pong` without waking anything. `problem` says that it cannot be read at the moment.";

/** @param topic has been checked. */
export async function watchFeed(
  { req, env }: Context<{ Bindings: QueryEnv }>,
  feed: string,
  topic: Topic,
): Promise<Response> {
  const answer = await env.FEED.getByName(feed).fetch(feedUrl(topic), { headers: { upgrade: "websocket" } });
  const socket = answer.webSocket;
  // The feed says why it takes no more.
  if (socket === null || socket === undefined) return answer;
  return req.header("upgrade")?.toLowerCase() === "websocket" ? answer : eventsOf(socket);
}
