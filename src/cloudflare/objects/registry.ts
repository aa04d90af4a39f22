/**
 * Registry: which operators have state, with how many shards and of what format.
 *
 * A shard asks here before it first writes. Without that, a job deployed with another number of shards would start
 * new shards beside the old ones and spread keys over both.
 */
import { DurableObject } from "cloudflare:workers";
import type { ShardIdentity } from "../../engine/shard/identity.ts";
import { checkIdentity } from "../../engine/shard/identity.ts";
import { messageOf } from "../../errors.ts";
import type { RegistryRpc } from "../rpc.ts";

export class Registry extends DurableObject implements RegistryRpc {
  async register(identity: ShardIdentity): Promise<string | null> {
    // Which shard it is does not matter: all shards of an operator agree on the rest.
    const wanted: ShardIdentity = { ...identity, shard: 0 };
    const name = `${identity.generation}/${identity.operator}`;
    const { kv } = this.ctx.storage;
    const known = kv.get<ShardIdentity>(name);
    if (known === undefined) {
      kv.put(name, wanted);
      return null;
    }
    try {
      checkIdentity(known, wanted);
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }
}
