import { runCommand } from './run-command.ts';
import { run } from './up.ts';

/** Entry point of the program with the command `up`. */
export function main(args: readonly string[]): void {
  runCommand(run(args));
}
