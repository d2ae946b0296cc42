import { Failure, reasonOf } from '../core/errors.ts';
import { printError } from './edge.ts';

/** Ends the process as `work` says, once what was printed has been taken; a failure is told first. */
export function conclude(work: Promise<number>): void {
  work.then(leave, (thrown: unknown) => {
    printError(`skerry: ${reasonOf(thrown)}`);
    leave(thrown instanceof Failure ? thrown.exitCode : 1);
  });
}

/** Milliseconds that what was said of failures may wait for its reader: a hub must end, whoever reads its log. */
const LAST_WORDS_MOST = 1_000;

/** A pipe takes output no faster than it is read: what a command printed is waited for, as its reader would. */
function leave(exitCode: number): void {
  whenTaken(process.stdout, () => {
    whenTaken(process.stderr, () => process.exit(exitCode));
    setTimeout(() => process.exit(exitCode), LAST_WORDS_MOST);
  });
}

function whenTaken(stream: NodeJS.WriteStream, action: () => void): void {
  if (stream.writableLength === 0) action();
  else stream.write('', action);
}
