import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { RETAINED_CLEAR } from '../../reference/holders.ts';
import { print } from '../../system.ts';

/** Removes retained messages whose topics match a filter. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(RETAINED_CLEAR, args);
  const [filter = ''] = positionals;
  print(`${await ask(dataFolder(values.data), 'retained clear', filter)} cleared`);
  return 0;
}
