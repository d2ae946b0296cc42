import { MAX_PEEKED } from '../../../hub/control/queue-control.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { oneLine, printTable, time } from '../../output/table.ts';
import { QUEUE_PEEK } from '../../reference/queues.ts';
import { print } from '../../system.ts';

/** Prints the first messages of a queue in delivery order, without removing them. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(QUEUE_PEEK, args);
  const [queue = ''] = positionals;
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1 || count > MAX_PEEKED) {
    throw usageFailure(`-n must be 1 to ${MAX_PEEKED}`, QUEUE_PEEK);
  }
  const waiting = await ask(dataFolder(values.data), 'queue peek', queue, String(count));
  if (values.json) {
    print(JSON.stringify(waiting, null, 2));
    return 0;
  }
  const rows = waiting.map(({ sequence, priority, waited, remaining, message }) => [
    String(sequence),
    String(priority),
    time(waited),
    time(remaining),
    message?.topic ?? '-',
    message === undefined ? 'damaged' : oneLine(message.body),
  ]);
  printTable(['NUMBER', 'PRIORITY', 'WAITED', 'LEFT', 'TOPIC', 'BODY'], rows);
  return 0;
}
