/** RecordsTable: keys whose values are records, lists or texts: a column for each field, states first. */
import type { JSX } from "preact";
import type { Entry } from "../api/types.ts";
import { KeyText } from "../parts/key-text.tsx";
import type { Column } from "../parts/table.tsx";
import { Table } from "../parts/table.tsx";
import { link } from "../route.ts";
import { columnsOf, isRecord, momentOf } from "./shape.ts";
import { State, Value } from "./value.tsx";

export interface RecordsTableProps {
  readonly caption: string;
  readonly view: string;
  readonly entries: readonly Entry[];
  /** Keys that have just changed. */
  readonly changed?: ReadonlySet<string>;
  readonly keyHeader?: string;
}

/** More do not fit beside each other; the key's own page has all of them. */
const MOST_FIELDS = 6;

export function RecordsTable(props: RecordsTableProps): JSX.Element {
  const { caption, view, entries, changed, keyHeader = "Key" } = props;
  const { state, fields } = columnsOf(entries);
  const key: Column<Entry> = {
    header: keyHeader,
    cell: (entry) => (
      <a href={link({ page: "key", view, key: entry.key })}>
        <KeyText text={entry.key} max={48} />
      </a>
    ),
  };
  const of = (name: string) => (entry: Entry) => (isRecord(entry.value) ? entry.value[name] : undefined);
  const states: Column<Entry>[] =
    state === undefined
      ? []
      : [{ header: state, cell: (entry) => <State text={String(of(state)(entry) ?? "")} /> }];
  const columns = fields.slice(0, MOST_FIELDS).map((name): Column<Entry> => {
    const values = entries.map(of(name));
    const places = values.some((value) => typeof value === "number" && !Number.isInteger(value));
    return {
      header: <KeyText text={name} max={24} />,
      cell: (entry) => <Value value={of(name)(entry)} places={places} />,
      numeric: values.some((value) => typeof value === "number" && momentOf(value) === undefined),
    };
  });
  const plain: Column<Entry> = { header: "Value", cell: ({ value }) => <Value value={value} /> };
  const told = fields.length === 0 && state === undefined ? [plain] : [...states, ...columns];
  return (
    <Table
      caption={caption}
      columns={[key, ...told]}
      rows={entries}
      rowId={(entry) => entry.key}
      {...(changed && { changed })}
    />
  );
}
