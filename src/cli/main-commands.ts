import { dispatch } from './dispatch.ts';
import { runCommand } from './run-command.ts';

/** Entry point of the program with all commands except `up`. */
export function main(args: readonly string[]): void {
  runCommand(dispatch(args));
}
