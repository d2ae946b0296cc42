import { statusOf } from './control.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf } from './flags.ts';
import { bytes, table, time } from './table.ts';

export const usage = 'skerry queue [--json] [--data DIR]';

/** Lists the queues of the running hub: how much waits, and for how long. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = flagsOf(args, { json: { type: 'boolean' }, data: { type: 'string' } }, usage);
  const { queues } = await statusOf(dataFolder(values.data));
  if (values.json) {
    print(JSON.stringify(queues, null, 2));
    return 0;
  }
  const rows = queues.map(({ queue, depth, bytes: size, oldest }) => [
    queue,
    String(depth),
    bytes(size),
    time(oldest),
  ]);
  for (const line of table(['QUEUE', 'DEPTH', 'SIZE', 'OLDEST'], rows)) print(line);
  return 0;
}
