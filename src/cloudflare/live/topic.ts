/** Topic: what a viewer has asked of a feed; those who ask the same are told the same. */
import type { ViewQuery } from "../query/read-view.ts";

/** The parameters of the live address; empty for the health. */
export type Topic = Omit<ViewQuery, "cursor">;

/** As the query Worker asks a feed for a socket. @param topic has been checked: only it can call the feed. */
export function feedUrl(topic: Topic): string {
  // Its order is part of its identity.
  const sorted = Object.entries(topic)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `https://feed/?topic=${encodeURIComponent(JSON.stringify(Object.fromEntries(sorted)))}`;
}

/** The text of the topic that a feed was asked for: its identity. */
export function topicOf(url: string): string {
  return new URL(url).searchParams.get("topic") ?? "{}";
}

export function parseTopic(text: string): Topic {
  return JSON.parse(text) as Topic;
}
