import { argumentsOf, usageFailure } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { QUEUE_DEAD_DROP, QUEUE_DEAD_REPLAY } from '../../reference/queues.ts';
import { print } from '../../system.ts';

export const replay = deadLetterCommand(QUEUE_DEAD_REPLAY, 'replayed');
export const drop = deadLetterCommand(QUEUE_DEAD_DROP, 'dropped');

/**
 * Creates a command that replays or drops the given dead letters, or all of them, and prints their number.
 */
function deadLetterCommand(
  definition: typeof QUEUE_DEAD_REPLAY | typeof QUEUE_DEAD_DROP,
  done: 'replayed' | 'dropped',
) {
  return async (args: readonly string[]): Promise<number> => {
    const { values, positionals: ids } = argumentsOf(definition, args);
    if ((ids.length === 0) !== (values.all === true)) {
      throw usageFailure('Name dead letters by their ID, or give --all', definition);
    }
    const folder = dataFolder(values.data);
    const chosen = values.all ? (await ask(folder, 'queue dead')).map(({ id }) => id) : ids;
    for (const id of chosen) await ask(folder, definition.name, id);
    print(`${chosen.length} ${done}`);
    return 0;
  };
}
