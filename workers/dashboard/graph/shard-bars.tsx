/** ShardBars: the share of each shard of an operator, tiny, so that a hot one stands out. */
import type { JSX } from "preact";
import type { ShardHealth } from "./skew.ts";
import { isLive, sharesOf } from "./skew.ts";

const HEIGHT = 16;
const GAP = 1;

/** Of so many shards, each is still seen. */
const WIDEST = 7;

export function ShardBars({
  shards,
  width,
}: {
  readonly shards: readonly ShardHealth[];
  readonly width: number;
}): JSX.Element {
  const shares = sharesOf(shards);
  const step = Math.min(WIDEST + GAP, width / Math.max(1, shards.length));
  return (
    <svg class="graph-shards" width={step * shards.length} height={HEIGHT} aria-hidden="true">
      {shards.map((shard, i) => {
        const share = shares[i];
        const height = share === undefined ? HEIGHT : Math.max(2, share * HEIGHT);
        const state = !isLive(shard) ? "silent" : shard.busy ? "busy" : "ok";
        return (
          <rect
            key={shard.shard}
            class={`graph-shard shard-${state}`}
            x={i * step}
            y={HEIGHT - height}
            width={Math.max(1, step - GAP)}
            height={height}
          />
        );
      })}
    </svg>
  );
}
