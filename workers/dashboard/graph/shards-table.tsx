/** ShardsTable: what each shard of an operator holds and does. */
import type { JSX } from "preact";
import { formatNumber } from "../parts/format.ts";
import { Pill } from "../parts/pill.tsx";
import type { Column } from "../parts/table.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import type { LiveShard, ShardHealth } from "./skew.ts";
import { isLive, sharesOf } from "./skew.ts";

interface Row {
  readonly shard: ShardHealth;
  readonly share: number | undefined;
}

const of =
  (value: (shard: LiveShard) => JSX.Element | string): Column<Row>["cell"] =>
  ({ shard }) =>
    isLive(shard) ? value(shard) : "–";

const COLUMNS: readonly Column<Row>[] = [
  { header: "Shard", numeric: true, cell: ({ shard }) => shard.shard },
  {
    header: "Applied",
    numeric: true,
    cell: ({ shard, share = 0 }) =>
      isLive(shard) ? (
        <span class="graph-share">
          <span class="graph-share-fill" aria-hidden="true" style={{ width: `${share * 100}%` }} />
          {formatNumber(shard.applied)}
        </span>
      ) : (
        "–"
      ),
  },
  { header: "Keys", numeric: true, cell: of(({ keys }) => formatNumber(keys)) },
  { header: "Outbox", numeric: true, cell: of(({ outbox }) => formatNumber(outbox.segments)) },
  {
    header: "State",
    cell: ({ shard }) => {
      if (!isLive(shard))
        return (
          <Pill tone="bad" title={shard.error}>
            silent
          </Pill>
        );
      return shard.busy ? <Pill tone="busy">busy</Pill> : <Pill tone="good">ok</Pill>;
    },
  },
  {
    header: "Next timer",
    cell: of(({ nextTimer }) => (nextTimer === undefined ? "–" : <Time at={nextTimer} />)),
  },
  { header: "Commit", numeric: true, cell: of(({ lsn }) => formatNumber(lsn)) },
];

export interface ShardsTableProps {
  readonly operator: string;
  readonly shards: readonly ShardHealth[];
}

export function ShardsTable({ operator, shards }: ShardsTableProps): JSX.Element {
  const shares = sharesOf(shards);
  const rows = shards.map((shard, i): Row => ({ shard, share: shares[i] }));
  const silent = shards.flatMap((shard) => (isLive(shard) ? [] : [`Shard ${shard.shard}: ${shard.error}`]));
  return (
    <>
      <Table
        caption={`Shards of ${operator}`}
        columns={COLUMNS}
        rows={rows}
        rowId={({ shard }) => `${shard.shard}`}
      />
      {silent.map((line) => (
        <p key={line} class="hint">
          {line}
        </p>
      ))}
    </>
  );
}
