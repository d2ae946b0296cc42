import { argumentsOf, usageFailure } from '../../arguments.ts';
import { SCRIPTS } from '../../reference/formats/completions.ts';
import { COMPLETION } from '../../reference/program.ts';
import { write } from '../../system.ts';

/** Prints the completion script of a shell. */
export async function run(args: readonly string[]): Promise<number> {
  const [shell = ''] = argumentsOf(COMPLETION, args).positionals;
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    throw usageFailure(
      `There is no completion for "${shell}", only for ${Object.keys(SCRIPTS).join(', ')}`,
      COMPLETION,
    );
  }
  write(script());
  return 0;
}
