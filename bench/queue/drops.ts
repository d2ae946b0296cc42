import { print, printTable, whole } from '../report.ts';
import { runChild } from './child.ts';
import { inFolder } from './folder.ts';

const MESSAGES = 100_000;
const ROUNDS = 5;
const WANTED = ' (wanted: at most 1.5)';

/** Measures the cost of a message to a full queue that drops its oldest message. */
export async function drops(): Promise<string[]> {
  const { of } = await inFolder(folder =>
    runChild('dropping.ts', [folder, String(MESSAGES), String(ROUNDS)]),
  );
  print(
    `Microseconds of processor time for each of ${whole(MESSAGES)} messages, medians of ${ROUNDS} rounds.\n`,
  );
  printTable(
    ['appended to a queue without a bound', 'to one that drops its oldest'],
    [[of('appended').toFixed(1), of('dropped').toFixed(1)]],
  );
  return [`A message that makes the oldest go: ${of('ratio').toFixed(2)} times an append${WANTED}`];
}
