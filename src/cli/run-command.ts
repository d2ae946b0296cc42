import { Failure, reasonOf } from '../core/errors.ts';
import { printError } from './system.ts';

/** Ends the process with the exit code of `work` after flushing its output. Prints a failure first. */
export function runCommand(work: Promise<number>): void {
  work.then(leave, (thrown: unknown) => {
    printError(`skerry: ${reasonOf(thrown)}`);
    leave(thrown instanceof Failure ? thrown.exitCode : 1);
  });
}

/** Milliseconds that the flush of standard error may take: a hub must end even if nobody reads its log. */
const FLUSH_TIMEOUT_MS = 1_000;

/** Waits for the output to be flushed, because a pipe accepts it no faster than its reader reads. */
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
