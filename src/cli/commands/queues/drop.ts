import { argumentsOf, usageFailure } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { QUEUE_DROP } from '../../reference/queues.ts';
import { print } from '../../system.ts';

/** Drops the messages with the given numbers from a queue, or all messages that are not in flight. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(QUEUE_DROP, args);
  const [queue = '', ...numbers] = positionals;
  if ((numbers.length === 0) !== (values.all === true)) {
    throw usageFailure('Name the messages to drop by their numbers, or --all', QUEUE_DROP);
  }
  const bad = numbers.find(text => !/^\d+$/.test(text));
  if (bad !== undefined) throw usageFailure(`"${bad}" is not the number of a message`, QUEUE_DROP);
  const folder = dataFolder(values.data);
  if (values.all === true) {
    print(`${await ask(folder, 'queue drop all', queue)} dropped`);
    return 0;
  }
  for (const number of numbers) await ask(folder, 'queue drop', queue, number);
  print(`${numbers.length} dropped`);
  return 0;
}
