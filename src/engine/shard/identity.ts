/** Identity: what a shard stores about which part of which operator it is, compared on every wake. */
import { StateError } from "../../errors.ts";
import type { OperatorPlan } from "../../plan.ts";

/** What is stored about which shard this is; written with its first commit and compared on every wake. */
export interface ShardIdentity {
  readonly schema: number;
  readonly generation: number;
  readonly operator: string;
  readonly shard: number;
  readonly shards: number;
  readonly signature: string;
}

export const SCHEMA_VERSION = 1;
export const IDENTITY_ROW = "identity";

export function identityOf(options: {
  generation: number;
  operator: OperatorPlan;
  shard: number;
}): ShardIdentity {
  const { generation, operator, shard } = options;
  return {
    schema: SCHEMA_VERSION,
    generation,
    operator: operator.name,
    shard,
    shards: operator.shards,
    signature: operator.signature,
  };
}

/** @throws StateError naming the first field in which stored and wanted identity differ, and what to do. */
export function checkIdentity(stored: ShardIdentity, wanted: ShardIdentity): void {
  for (const field of Object.keys(wanted) as (keyof ShardIdentity)[]) {
    if (stored[field] === wanted[field]) continue;
    throw new StateError(
      `operator ${wanted.operator}: its state has ${field} ${stored[field]}, the job says ${wanted[field]}; undo the change, or give the operator a new name`,
    );
  }
}
