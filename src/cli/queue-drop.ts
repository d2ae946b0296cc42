import { ask } from './control.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';

export const usage = 'skerry queue drop <queue> <number>... | --all [--data DIR]';

/** Forgets messages of a queue by their numbers, or all that are not on their way to a receiver. */
export async function run(args: readonly string[]): Promise<number> {
  const options = { all: { type: 'boolean' }, data: { type: 'string' } } as const;
  const { values, positionals } = flagsOf(args, options, usage);
  const [queue, ...numbers] = positionals;
  if (queue === undefined) throw usageFailure('Name a queue', usage);
  if ((numbers.length === 0) !== (values.all === true)) {
    throw usageFailure('Name the messages to drop by their numbers, or --all', usage);
  }
  const bad = numbers.find(text => !/^\d+$/.test(text));
  if (bad !== undefined) throw usageFailure(`"${bad}" is not the number of a message`, usage);
  const folder = dataFolder(values.data);
  if (values.all === true) {
    print(`${await ask(folder, 'queue drop all', queue)} dropped`);
    return 0;
  }
  for (const number of numbers) await ask(folder, 'queue drop', queue, number);
  print(`${numbers.length} dropped`);
  return 0;
}
