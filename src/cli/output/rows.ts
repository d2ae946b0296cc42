import type { Page } from '../../hub/control/client-control.ts';
import { usageFailure } from '../arguments.ts';
import type { Definition } from '../reference/definition.ts';
import { print } from '../system.ts';
import { printTable } from './table.ts';

/** Maximum number of rows that one command shows. */
const MAX_ROWS = 1_000_000;

/**
 * Requests pages of rows from the hub until `count` rows have arrived or the hub has no more rows. Throws
 * Failure `usage` for an invalid count.
 */
export async function rowsOf<Row>(
  definition: Definition,
  count: string,
  page: (offset: number) => Promise<Page<Row>>,
): Promise<Page<Row>> {
  const wanted = Number(count);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_ROWS)
    throw usageFailure(`-n must be 1 to ${MAX_ROWS}`, definition);
  const rows: Row[] = [];
  for (;;) {
    const { total, rows: more } = await page(rows.length);
    rows.push(...more.slice(0, wanted - rows.length));
    if (more.length === 0 || rows.length >= Math.min(wanted, total)) return { total, rows };
  }
}

/** Prints rows as JSON or as a table. Below the table, prints how many rows are omitted. */
export function printRows<Row>(
  { total, rows }: Page<Row>,
  json: boolean,
  headings: readonly string[],
  cells: (row: Row) => readonly string[],
): void {
  if (json) {
    print(JSON.stringify(rows, null, 2));
    return;
  }
  printTable(headings, rows.map(cells));
  if (rows.length < total) print(`${rows.length} of ${total}: see more with -n ${total}`);
}

/** Converts seconds to the milliseconds that `time` prints. */
export function millisecondsOf(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
