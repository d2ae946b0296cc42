import { argumentsOf } from './arguments.ts';
import { ask } from './control.ts';
import { dataFolder } from './data-folder.ts';
import type { RESTART, START, STOP } from './reference/modules.ts';

/** The command that asks the running hub to start, stop or restart one module, and ends when that is done. */
export function moduleCommand(definition: typeof START | typeof STOP | typeof RESTART) {
  return async (args: readonly string[]): Promise<number> => {
    const { values, positionals } = argumentsOf(definition, args);
    const [module = ''] = positionals;
    await ask(dataFolder(values.data), definition.name, module);
    return 0;
  };
}
