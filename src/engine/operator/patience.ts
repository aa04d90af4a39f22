/** Patience: asks a busy shard again for a while, before its messages go back to where they came from. */
import type { ShardCall, ShardReply } from "../shard/protocol.ts";

export interface Patience {
  /** How often a busy shard is asked again. */
  readonly tries: number;
  /** The wait in between. */
  readonly wait: () => Promise<void>;
}

/** The shard's reply, which says `busy` if it still is after all tries. */
export async function applyPatiently(
  apply: (call: ShardCall) => Promise<ShardReply>,
  call: ShardCall,
  patience?: Patience,
): Promise<ShardReply> {
  for (let left = patience?.tries ?? 0; ; left--) {
    const reply = await apply(call);
    if (reply.busy !== true || patience === undefined || left <= 0) return reply;
    await patience.wait();
  }
}
