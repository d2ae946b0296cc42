import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { RESTART, START, STOP } from '../../reference/modules.ts';

export const start = moduleCommand(START);
export const stop = moduleCommand(STOP);
export const restart = moduleCommand(RESTART);

/**
 * Creates a command that starts, stops or restarts one module of the running hub and waits until this is
 * done.
 */
function moduleCommand(definition: typeof START | typeof STOP | typeof RESTART) {
  return async (args: readonly string[]): Promise<number> => {
    const { values, positionals } = argumentsOf(definition, args);
    const [module = ''] = positionals;
    await ask(dataFolder(values.data), definition.name, module);
    return 0;
  };
}
