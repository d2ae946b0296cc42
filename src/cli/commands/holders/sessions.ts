import type { SessionRow } from '../../../hub/control/client-control.ts';
import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { millisecondsOf, printRows, rowsOf } from '../../output/rows.ts';
import { bytes, oneLine, time } from '../../output/table.ts';
import { SESSIONS } from '../../reference/holders.ts';

const HEADINGS = ['ID', 'HOLDER', 'CONNECTED', 'AGE', 'SUBSCRIPTIONS', 'WAITING', 'SIZE', 'OLDEST'];

/** Lists the sessions of the running hub. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(SESSIONS, args);
  const folder = dataFolder(values.data);
  const page = await rowsOf(SESSIONS, values.count, offset => ask(folder, 'sessions', String(offset)));
  printRows(page, values.json === true, HEADINGS, cellsOf);
  return 0;
}

function cellsOf(row: SessionRow): string[] {
  return [
    oneLine(row.id),
    oneLine(row.holder),
    row.connected ? 'yes' : 'no',
    time(millisecondsOf(row.ageSeconds)),
    String(row.subscriptions),
    String(row.waitingMessages),
    bytes(row.waitingBytes),
    time(millisecondsOf(row.oldestSeconds)),
  ];
}
