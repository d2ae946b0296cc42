import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { troublesOf } from '../../output/store-problems.ts';
import { bytes, printTable, time } from '../../output/table.ts';
import { QUEUE } from '../../reference/queues.ts';
import { print } from '../../system.ts';

/** Lists the queues of the running hub with their backlog and the age of the oldest message. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(QUEUE, args);
  const { queues, store } = await ask(dataFolder(values.data), 'status');
  if (values.json) {
    print(JSON.stringify(queues, null, 2));
    return 0;
  }
  const rows = queues.map(({ queue, depth, bytes: size, oldestMs }) => [
    queue,
    String(depth),
    bytes(size),
    time(oldestMs),
  ]);
  printTable(['QUEUE', 'DEPTH', 'SIZE', 'OLDEST'], rows);
  print(`${bytes(store.usedBytes)} of ${bytes(store.maxBytes)} in use, ${store.letters} dead letters`);
  for (const problem of troublesOf(store)) print(problem);
  return 0;
}
