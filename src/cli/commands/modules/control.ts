import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { RESTART, START, STOP } from '../../reference/modules.ts';

export const start = moduleCommand(START);
export const stop = moduleCommand(STOP);
export const restart = moduleCommand(RESTART);

/** Command that asks the running hub to start, stop or restart one module. It ends when that is done. */
function moduleCommand(definition: typeof START | typeof STOP | typeof RESTART) {
  return async (args: readonly string[]): Promise<number> => {
    const { values, positionals } = argumentsOf(definition, args);
    const [module = ''] = positionals;
    await ask(dataFolder(values.data), definition.name, module);
    return 0;
  };
}
