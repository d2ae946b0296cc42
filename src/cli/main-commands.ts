import { dispatch } from './dispatch.ts';
import { runCommand } from './run-command.ts';

/** Entry point of the program of all commands but `up`. */
export function main(args: readonly string[]): void {
  runCommand(dispatch(args));
}
