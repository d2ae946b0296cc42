import { ask } from './control.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';
import { oneLine, table, time } from './table.ts';

export const usage = 'skerry queue dead [--json] | dead replay|drop <id>... | --all [--data DIR]';

/** Lists the dead letters, puts them back at the end of their queues, or forgets them. */
export async function run(args: readonly string[]): Promise<number> {
  const options = {
    all: { type: 'boolean' },
    json: { type: 'boolean' },
    data: { type: 'string' },
  } as const;
  const { values, positionals } = flagsOf(args, options, usage);
  const [verb, ...ids] = positionals;
  const folder = dataFolder(values.data);
  const letters = await ask(folder, 'queue dead');
  if (verb === undefined) {
    if (values.json) print(JSON.stringify(letters, null, 2));
    else {
      const rows = letters.map(({ id, queue, age, reason, message }) => [
        id,
        queue,
        time(age),
        reason,
        message?.topic ?? '-',
        message === undefined ? 'damaged' : oneLine(message.body),
      ]);
      for (const line of table(['ID', 'QUEUE', 'AGE', 'REASON', 'TOPIC', 'BODY'], rows)) print(line);
    }
    return 0;
  }
  if (verb !== 'replay' && verb !== 'drop') throw usageFailure(`There is no "queue dead ${verb}"`, usage);
  if ((ids.length === 0) !== (values.all === true))
    throw usageFailure(`Name the letters to ${verb}, or --all`, usage);
  const chosen = values.all === true ? letters.map(({ id }) => id) : ids;
  for (const id of chosen) await ask(folder, `queue dead ${verb}`, id);
  print(`${chosen.length} ${verb === 'replay' ? 'replayed' : 'dropped'}`);
  return 0;
}
