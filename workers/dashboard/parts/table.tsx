/** Table: rows under headings, which scrolls by itself where the screen is narrow. */
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

export interface Column<Row> {
  readonly header: ComponentChildren;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers are set to the right. */
  readonly numeric?: boolean;
}

export interface TableProps<Row> {
  readonly caption: string;
  /** Whether the caption is seen, or only heard; heard by default. */
  readonly showCaption?: boolean;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowId: (row: Row) => string;
  readonly changed?: ReadonlySet<string>;
}

export function Table<Row>(props: TableProps<Row>): JSX.Element {
  const { caption, showCaption = false, columns, rows, rowId, changed } = props;
  const id = useId();
  return (
    // What scrolls must be reachable by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above.
    <section class="table-scroll" tabIndex={0} aria-labelledby={id}>
      <table>
        <caption id={id} class={showCaption ? "" : "visually-hidden"}>
          {caption}
        </caption>
        <thead>
          <tr>
            {columns.map(({ header, numeric }) => (
              <th scope="col" class={numeric ? "numeric" : ""}>
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowId(row)} class={changed?.has(rowId(row)) ? "row-changed" : ""}>
              {columns.map(({ cell, numeric }) => (
                <td class={numeric ? "numeric" : ""}>{cell(row)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
