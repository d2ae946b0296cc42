import { Failure, reasonOf } from '../core/errors.ts';
import { printError } from './system.ts';

/**
 * Waits for `work`, flushes the output, and ends the process with the exit code. Prints an error of `work`.
 */
export function runCommand(work: Promise<number>): void {
  work.then(leave, (thrown: unknown) => {
    printError(`skerry: ${reasonOf(thrown)}`);
    leave(thrown instanceof Failure ? thrown.exitCode : 1);
  });
}

/** Maximum milliseconds of the flush of standard error. A hub must end even if no process reads its log. */
const FLUSH_TIMEOUT_MS = 1_000;

/**
 * Ends the process after the output is flushed. Otherwise a slow reader of a pipe would not receive the last
 * part of the output.
 */
function leave(exitCode: number): void {
  whenFlushed(process.stdout, () => {
    whenFlushed(process.stderr, () => process.exit(exitCode));
    setTimeout(() => process.exit(exitCode), FLUSH_TIMEOUT_MS);
  });
}

function whenFlushed(stream: NodeJS.WriteStream, action: () => void): void {
  if (stream.writableLength === 0) action();
  else stream.write('', action);
}
