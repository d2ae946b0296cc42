import type { ClientRow } from '../../../hub/control/client-control.ts';
import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { millisecondsOf, printRows, rowsOf } from '../../output/rows.ts';
import { bytes, oneLine, time } from '../../output/table.ts';
import { CLIENTS } from '../../reference/holders.ts';

const HEADINGS = ['ID', 'HOLDER', 'ADDRESS', 'MQTT', 'CONNECTED', 'UNSENT'];

const VERSIONS: Readonly<Record<number, string>> = { 3: '3.1', 4: '3.1.1', 5: '5' };

/** Lists the connected clients of the running hub. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(CLIENTS, args);
  const folder = dataFolder(values.data);
  const page = await rowsOf(CLIENTS, values.count, offset => ask(folder, 'clients', String(offset)));
  printRows(page, values.json === true, HEADINGS, cellsOf);
  return 0;
}

function cellsOf(row: ClientRow): string[] {
  return [
    oneLine(row.id),
    oneLine(row.holder),
    oneLine(row.address),
    VERSIONS[row.mqttVersion] ?? '-',
    time(millisecondsOf(row.connectedSeconds)),
    bytes(row.unsentBytes),
  ];
}
