import { styleText } from 'node:util';
import { escapeHidden } from '../../core/text/escape.ts';
import { writeRaw } from '../system.ts';

/** Function that returns the colour of a cell on a terminal. Undefined if the cell has no colour. */
type Colour = (cell: string, column: number) => 'green' | 'yellow' | 'red' | undefined;

/** Minimum characters of the last column when it is cut to fit the terminal. */
const MIN_LAST_COLUMN_WIDTH = 12;

/**
 * Formats rows as lines with aligned columns, the headings first. On a terminal, the last column is cut to
 * fit, and cells are coloured unless NO_COLOR is set.
 */
function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  colour: Colour = () => undefined,
): string[] {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map(row => (row[column] ?? '').length)),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const room = process.stdout.isTTY
    ? Math.max(MIN_LAST_COLUMN_WIDTH, process.stdout.columns - before)
    : undefined;
  const painted = (cell: string, column: number, isHeading: boolean): string => {
    const style = isHeading ? 'bold' : colour(cell, column);
    return style === undefined ? cell : styleText(style, cell, { stream: process.stdout });
  };
  return [headings, ...rows].map((row, index) =>
    row
      .map((cell, column) => {
        const isLast = column === headings.length - 1;
        const text = isLast ? fitted(cell, room) : cell;
        const padding = isLast ? '' : ' '.repeat(Math.max(0, (widths[column] ?? 0) - text.length));
        return painted(text, column, index === 0) + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
}

/**
 * Prints a table. On a terminal, control characters in cells are escaped, because the data can come from
 * clients or modules.
 */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  colour?: Colour,
): void {
  const shown = process.stdout.isTTY ? rows.map(row => row.map(cell => escapeHidden(cell))) : rows;
  writeRaw(`${table(headings, shown, colour).join('\n')}\n`);
}

const GAP = '  ';

/** Cuts a cell to `columns` characters. Returns the cell unchanged if `columns` is undefined. */
function fitted(cell: string, columns: number | undefined): string {
  return columns === undefined || cell.length <= columns ? cell : `${cell.slice(0, columns - 1)}\u2026`;
}

/** Formats a duration in milliseconds: `350ms`, `12s`, `3m 5s`, `2h 10m`, `4d 3h`. */
export function time(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '-';
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d ${Math.floor((seconds % 86_400) / 3600)}h`;
}

/** Formats a number of bytes: `512 B`, `1.5 KB`. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log2(count) / 10), units.length);
  return `${(count / 1024 ** power).toFixed(1)} ${units[power - 1] ?? 'B'}`;
}

/** Maximum characters of a message body in a table. */
const MAX_SHOWN_CHARACTERS = 60;

/** Formats a text as one line of a table, with control characters escaped. */
export function oneLine(text: string): string {
  const line = text.slice(0, MAX_SHOWN_CHARACTERS).replace(/[\p{Cc}\p{Cf}]/gu, '\u00b7');
  return text.length > MAX_SHOWN_CHARACTERS ? `${line}...` : line;
}
