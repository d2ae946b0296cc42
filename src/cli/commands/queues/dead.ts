import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { oneLine, printTable, time } from '../../output/table.ts';
import { QUEUE_DEAD } from '../../reference/queues.ts';
import { print } from '../../system.ts';

/** Lists the dead letters. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(QUEUE_DEAD, args);
  const letters = await ask(dataFolder(values.data), 'queue dead');
  if (values.json) {
    print(JSON.stringify(letters, null, 2));
    return 0;
  }
  const rows = letters.map(({ id, queue, age, reason, message }) => [
    id,
    queue,
    time(age),
    reason,
    message?.topic ?? '-',
    message === undefined ? 'damaged' : oneLine(message.body),
  ]);
  printTable(['ID', 'QUEUE', 'AGE', 'REASON', 'TOPIC', 'BODY'], rows);
  return 0;
}
