import { command } from './commands.ts';
import { conclude as end } from './conclude.ts';

/** The program of all commands but `up`. */
export function conclude(args: readonly string[]): void {
  end(command(args));
}
