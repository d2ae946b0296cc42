import { MAX_PEEKED } from '../hub/queue-control.ts';
import { ask } from './control.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';
import { oneLine, table, time } from './table.ts';

export const usage = 'skerry queue peek <queue> [-n COUNT] [--json] [--data DIR]';

/** Shows the first messages of a queue, in the order they would be sent; none is taken. */
export async function run(args: readonly string[]): Promise<number> {
  const options = {
    count: { type: 'string', short: 'n', default: '10' },
    json: { type: 'boolean' },
    data: { type: 'string' },
  } as const;
  const { values, positionals } = flagsOf(args, options, usage);
  const [queue, ...more] = positionals;
  if (queue === undefined || more.length > 0) throw usageFailure('Name one queue', usage);
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1 || count > MAX_PEEKED) {
    throw usageFailure(`-n must be 1 to ${MAX_PEEKED}`, usage);
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
  for (const line of table(['NUMBER', 'PRIORITY', 'WAITED', 'LEFT', 'TOPIC', 'BODY'], rows)) print(line);
  return 0;
}
