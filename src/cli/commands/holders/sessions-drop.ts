import { argumentsOf, usageFailure } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { SESSIONS_DROP } from '../../reference/holders.ts';
import { print } from '../../system.ts';

/** Drops the sessions with the given ids, or all sessions of a user, module or address. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(SESSIONS_DROP, args);
  const { holder } = values;
  if ((positionals.length === 0) !== (holder !== undefined))
    throw usageFailure('Name the sessions to drop by their IDs, or --holder', SESSIONS_DROP);
  const folder = dataFolder(values.data);
  for (const id of positionals) await ask(folder, 'sessions drop', id);
  const count = holder === undefined ? positionals.length : await ask(folder, 'sessions drop all', holder);
  print(`${count} dropped`);
  return 0;
}
