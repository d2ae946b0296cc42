import type { RetainedRow } from '../../../hub/control/client-control.ts';
import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { millisecondsOf, printRows, rowsOf } from '../../output/rows.ts';
import { bytes, oneLine, time } from '../../output/table.ts';
import { RETAINED } from '../../reference/holders.ts';

const HEADINGS = ['TOPIC', 'HOLDER', 'SIZE', 'AGE', 'LEFT'];

/** Lists the retained messages of the running hub. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(RETAINED, args);
  const folder = dataFolder(values.data);
  const page = await rowsOf(RETAINED, values.count, offset => ask(folder, 'retained', String(offset)));
  printRows(page, values.json === true, HEADINGS, cellsOf);
  return 0;
}

function cellsOf(row: RetainedRow): string[] {
  return [
    oneLine(row.topic),
    oneLine(row.holder),
    bytes(row.bytes),
    time(millisecondsOf(row.ageSeconds)),
    time(millisecondsOf(row.remainingSeconds)),
  ];
}
