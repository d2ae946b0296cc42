import { ask } from './control.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';

/** The command that asks the running hub to `verb` one module, and ends when that is done. */
export function moduleCommand(verb: 'start' | 'stop' | 'restart') {
  const usage = `skerry ${verb} <module> [--data DIR]`;
  const run = async (args: readonly string[]): Promise<number> => {
    const { values, positionals } = flagsOf(args, { data: { type: 'string' } }, usage);
    const [module, ...more] = positionals;
    if (module === undefined || more.length > 0) throw usageFailure('Name one module', usage);
    await ask(dataFolder(values.data), verb, module);
    return 0;
  };
  return { usage, run };
}
