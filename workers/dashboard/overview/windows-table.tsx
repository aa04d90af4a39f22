/** WindowsTable: windows of any length, a line for each key and window, the latest first. */
import type { JSX } from "preact";
import { idOf } from "../api/entries.ts";
import type { Entry } from "../api/types.ts";
import { KeyText } from "../parts/key-text.tsx";
import { Table } from "../parts/table.tsx";
import { useNow } from "../parts/time.tsx";
import { link } from "../route.ts";
import type { WindowRow } from "./history.ts";
import { Value } from "./value.tsx";
import { stateOf, WindowTime } from "./window-head.tsx";

export interface WindowsTableProps {
  readonly caption: string;
  readonly view: string;
  readonly rows: readonly WindowRow[];
  /** Lines, at most. */
  readonly most: number;
  /** The key is told already where all lines are of the same one. */
  readonly withKey?: boolean;
}

export function WindowsTable({ caption, view, rows, most, withKey = true }: WindowsTableProps): JSX.Element {
  const now = useNow();
  const lines = rows.toReversed().flatMap(({ entries }) => entries);
  const key = {
    header: "Key",
    cell: (entry: Entry) => (
      <a href={link({ page: "key", view, key: entry.key })}>
        <KeyText text={entry.key} max={48} />
      </a>
    ),
  };
  return (
    <Table
      caption={caption}
      rows={lines.slice(0, most)}
      rowId={idOf}
      columns={[
        ...(withKey ? [key] : []),
        {
          header: "Window",
          cell: ({ window }: Entry) =>
            window === undefined ? (
              ""
            ) : (
              <WindowTime start={Date.parse(window.start)} end={Date.parse(window.end)} />
            ),
        },
        {
          header: "Value",
          cell: ({ value }: Entry) => <Value value={value} />,
          numeric: lines.some(({ value }) => typeof value === "number"),
        },
        {
          header: "State",
          cell: ({ final, window }: Entry) => stateOf(Date.parse(window?.end ?? "") <= now, final === true),
        },
      ]}
    />
  );
}
