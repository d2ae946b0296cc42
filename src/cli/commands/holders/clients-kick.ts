import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { CLIENTS_KICK } from '../../reference/holders.ts';
import { print } from '../../system.ts';

/** Closes the connections of the given clients. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(CLIENTS_KICK, args);
  const folder = dataFolder(values.data);
  for (const id of positionals) await ask(folder, 'clients kick', id);
  print(`${positionals.length} disconnected`);
  return 0;
}
