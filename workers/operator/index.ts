/** The operator Worker: applies what the queues carry, runs stages, and holds the Durable Objects. */
import { queueHandler, scheduledHandler } from "../../src/cloudflare/consumer.ts";
import { Claims } from "../../src/cloudflare/objects/claims.ts";
import { coordinatorObject } from "../../src/cloudflare/objects/coordinator-object.ts";
import { erasures } from "../../src/cloudflare/objects/erasures.ts";
import { feedObject } from "../../src/cloudflare/objects/feed-object.ts";
import { Gate } from "../../src/cloudflare/objects/gate.ts";
import { graveyard } from "../../src/cloudflare/objects/graveyard.ts";
import { Registry } from "../../src/cloudflare/objects/registry.ts";
import { shardObject } from "../../src/cloudflare/objects/shard-object.ts";
import { SynchronousCounter } from "../article/synchronous-counter.ts";
import { plan } from "../jobs/index.ts";

export class ShardObject extends shardObject(plan)<OperatorEnv> {}
export class CoordinatorObject extends coordinatorObject(plan)<OperatorEnv> {}
export class Graveyard extends graveyard(plan)<OperatorEnv> {}
export class FeedObject extends feedObject(plan)<OperatorEnv> {}
export class Erasures extends erasures(plan)<OperatorEnv> {}
export { Claims, Gate, Registry, SynchronousCounter };

export default {
  queue: queueHandler(plan),
  scheduled: scheduledHandler(plan),
} satisfies ExportedHandler<OperatorEnv>;
