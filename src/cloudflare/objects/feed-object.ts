/**
 * FeedObject: what all viewers of one view (or of the health) are told, as a Durable Object with hibernating WebSockets.
 *
 * Its sockets outlive its sleep, with what each asked for; nothing else is kept. While nothing is committed it is not in
 * memory, and nor are the shards.
 */
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../../clock.ts";
import type { Usage } from "../../engine/usage.ts";
import { ONE_REQUEST, UsageLedger } from "../../engine/usage.ts";
import type { Plan } from "../../plan.ts";
import { viewsOf } from "../../plan.ts";
import { problem } from "../http/problem.ts";
import { Audience } from "../live/audience.ts";
import { batchedShards } from "../live/batched-shards.ts";
import type { FeedPorts, Looks } from "../live/feed.ts";
import { Feed } from "../live/feed.ts";
import { lookAtHealth, lookAtView } from "../live/looks.ts";
import type { Topic } from "../live/topic.ts";
import { topicOf } from "../live/topic.ts";
import type { HealthEnv } from "../query/read-health.ts";
import { READERS, readersEnv } from "../readers.ts";
import type { FeedRpc, Namespace, ShardRpc } from "../rpc.ts";
import { feedName, shardNames, WATCH_VERSION } from "../rpc.ts";
import { Awake } from "./awake.ts";

export interface FeedEnv extends HealthEnv {
  readonly SHARD: Namespace<ShardRpc>;
}

/** Between two looks, ms: "a few a second", and slower for what asks every shard there is. */
const VIEW_EVERY = 250;
const HEALTH_EVERY = 1_000;
const PATIENCE = 10_000;
/** Sockets of one feed; the platform allows 32,768. */
const MOST_SOCKETS = 10_000;
/** Different questions that one look answers. */
const MOST_TOPICS = 1_000;
/** Of a topic, in characters: an attachment holds 16,384 bytes. */
const MOST_TOPIC = 4_000;
/** Messages of viewers that are billed as one request. */
const MESSAGES_A_REQUEST = 20;

/** Extend it with the deployment's plan: `export class FeedObject extends feedObject(plan) {}`. */
export function feedObject(plan: Plan) {
  return class<Env extends FeedEnv> extends DurableObject<Env> implements Pick<FeedRpc, "changed"> {
    readonly #name = this.ctx.id.name ?? "";
    readonly #view = viewsOf(plan).find(({ name }) => this.#name === feedName(plan.generation, name));
    readonly #usage = new UsageLedger();
    readonly #awake = new Awake(systemClock, (usage) => this.#use(usage));
    #messages = 0;
    readonly #audience = new Audience(this.ctx.getWebSockets());
    readonly #feed = new Feed<WebSocket, Topic>(this.#ports(), {
      about: this.#view === undefined ? {} : { view: this.#view.name },
      every: this.#view === undefined ? HEALTH_EVERY : VIEW_EVERY,
    });

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env);
      // A viewer may look whether the line is up without waking anybody.
      ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    }

    /** Takes a viewer's socket. The query Worker has checked who he is and what he asks. */
    override async fetch(request: Request): Promise<Response> {
      this.#use(ONE_REQUEST);
      const topic = topicOf(request.url);
      const { topics, size } = this.#audience;
      if (topic.length > MOST_TOPIC) return refused(400, "the parameters are too long for a live view");
      if (size >= MOST_SOCKETS)
        return refused(503, `${MOST_SOCKETS} viewers watch already; ask the view's own address instead`);
      if (!topics.has(topic) && topics.size >= MOST_TOPICS)
        return refused(
          503,
          `${MOST_TOPICS} different questions are watched already; ask the view's own address`,
        );
      const { 0: client, 1: server } = new WebSocketPair();
      this.ctx.acceptWebSocket(server);
      this.#audience.join(server, topic);
      this.#feed.join(server, topic);
      return new Response(null, { status: 101, webSocket: client });
    }

    async changed(): Promise<number | null> {
      this.#use(ONE_REQUEST);
      return this.#feed.changed() ?? null;
    }

    override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
      if (++this.#messages % MESSAGES_A_REQUEST === 0) this.#use(ONE_REQUEST);
      // A viewer who has done something himself need not wait for a shard to say so. Anything else is a mistake.
      if (message === "look") this.#feed.changed();
      else this.#dismiss(socket, 1008, "say nothing, ping or look");
    }

    override webSocketClose(socket: WebSocket, code: number): void {
      this.#dismiss(socket, code === 1005 || code === 1006 ? 1000 : code);
    }

    override webSocketError(socket: WebSocket): void {
      this.#dismiss(socket, 1011);
    }

    #dismiss(socket: WebSocket, code: number, reason?: string): void {
      this.#audience.leave(socket);
      socket.close(code, reason);
    }

    #ports(): FeedPorts<WebSocket, Topic> {
      return {
        topics: () => this.#audience.topics,
        send: (socket, text) => {
          try {
            socket.send(text);
          } catch {
            // It has just been closed.
            this.#audience.leave(socket);
          }
        },
        subscribe: () => this.#subscribe(),
        read: (topics) => this.#read(topics),
        during: (work) => this.#awake.during(work),
      };
    }

    /** @throws Error when a shard does not answer. */
    async #subscribe(): Promise<void> {
      const operators = this.#view === undefined ? [...plan.operators.values()] : [this.#view];
      const names = operators.flatMap((operator) => shardNames(plan.generation, operator));
      const watch = { v: WATCH_VERSION, feed: this.#name };
      await Promise.all(names.map((name) => this.env.SHARD.getByName(name).watch(watch)));
    }

    async #read(topics: readonly Topic[]): Promise<Looks> {
      const context = { plan, patience: PATIENCE, clock: systemClock };
      let again = false;
      const onAgain = () => {
        again = true;
      };
      const env = readersEnv(this.env, this.#usage, this.#name);
      const batched = { SHARD: batchedShards(env.SHARD, { feed: this.#name, onAgain }) };
      const view = this.#view;
      const looks = await Promise.all(
        topics.map((topic) =>
          view === undefined ? lookAtHealth(env, context) : lookAtView(batched, context, view, topic),
        ),
      );
      return { looks, again };
    }

    /** What the feed has used rides with its next look. */
    #use(usage: Usage): void {
      this.#usage.add(this.#view?.name ?? READERS, usage);
    }
  };
}

function refused(status: number, detail: string): Response {
  return problem(status, detail, {}, status === 503 ? { "retry-after": "30" } : {});
}
