import type { Clock } from '../core/clock.ts';
import { Failure } from '../core/errors.ts';
import { LINE_RETRY, MAX_UNSETTLED_LINES } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { LineSink } from './reader.ts';
import type { SupervisorHost } from './spec.ts';

/** The messages of one module on their way to the host. */
export type Intake = LineSink & {
  /** How often the host refused a line, for good or for want of room. */
  readonly refused: () => number;
};

/**
 * A line that finds no room is offered again, and the module is read no further meanwhile: it is held back by
 * its own pipe. `roomy` is called when the intake takes lines again. The bound holds over restarts of the module.
 */
export function createIntake(
  module: string,
  host: SupervisorHost,
  clock: Clock,
  log: Log,
  roomy: () => void,
): Intake {
  let unsettled = 0;
  let refused = 0;
  let refusing = false;
  /** Lines without room, in order. */
  let waiting: Buffer[] = [];

  const offer = (line: Buffer): void => {
    host.line(module, line, error => {
      if (error !== undefined) refuse(line, error);
      else refusing = false;
      if (isTransient(error)) return;
      unsettled -= 1;
      roomy();
    });
  };

  const refuse = (line: Buffer, error: Error): void => {
    refused += 1;
    const transient = isTransient(error);
    if (!refusing) {
      log.warn(`Lines of module "${module}" are ${transient ? 'held back' : 'not kept'}: ${error.message}`);
    }
    refusing = true;
    if (transient && waiting.push(line) === 1) clock.after(LINE_RETRY, offerAgain);
  };

  const offerAgain = (): void => {
    const lines = waiting;
    waiting = [];
    for (const line of lines) offer(line);
    roomy();
  };

  return {
    ready: () => unsettled < MAX_UNSETTLED_LINES && waiting.length === 0,
    take: line => {
      unsettled += 1;
      offer(line);
    },
    refused: () => refused,
  };
}

/** True if the same line may be kept another time. */
function isTransient(error: Error | undefined): boolean {
  return error instanceof Failure && (error.code === 'store.full' || error.code === 'store.write');
}
