import { ask } from './control.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';
import { run as dead, usage as deadUsage } from './queue-dead.ts';
import { run as drop, usage as dropUsage } from './queue-drop.ts';
import { run as peek, usage as peekUsage } from './queue-peek.ts';
import { troublesOf } from './store-trouble.ts';
import { bytes, table, time } from './table.ts';

const listUsage = 'skerry queue [--json] [--data DIR]';

const WORDS_USAGE = 'skerry queue [peek | drop | dead] [--json] [--data DIR]';

export const usage: string = [listUsage, peekUsage, dropUsage, deadUsage].join('\n  ');

type Run = (args: readonly string[]) => Promise<number>;

const WORDS: Readonly<Record<string, Run>> = { peek, drop, dead };

/** Lists the queues of the running hub, or hands over to the command about one of them. */
export async function run(args: readonly string[]): Promise<number> {
  const [word = '', ...rest] = args;
  const command = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  return command === undefined ? list(args) : command(rest);
}

/** How much waits, and for how long. */
async function list(args: readonly string[]): Promise<number> {
  const options = { json: { type: 'boolean' }, data: { type: 'string' } } as const;
  const { values, positionals } = flagsOf(args, options, listUsage);
  if (positionals.length > 0) throw usageFailure(`There is no "queue ${positionals[0]}"`, WORDS_USAGE);
  const { queues, store } = await ask(dataFolder(values.data), 'status');
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
  print(`${bytes(store.used)} of ${bytes(store.maxSize)} in use, ${store.letters} dead letters`);
  for (const trouble of troublesOf(store)) print(trouble);
  return 0;
}
