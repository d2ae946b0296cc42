import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import {
  LINE_RETRY,
  LINE_WARNING_INTERVAL,
  MAX_UNSETTLED_LINE_BYTES,
  MAX_UNSETTLED_LINES,
} from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import type { SupervisorHost } from '../spec.ts';
import type { LineSink } from './line-reader.ts';

/** Messages of one module on their way to the host. */
export type Intake = LineSink & {
  /** A line of more than `maxBytes` was dropped. */
  readonly exceeded: (maxBytes: number) => void;
  /** Starts to count the lines of a new process. */
  readonly begin: () => void;
  /** Lines that the process has printed, whatever became of them. */
  readonly printed: () => number;
  /** How often the host refused a line, for good or for want of room, or a line was too long. */
  readonly refused: () => number;
};

/**
 * A line that finds no room is offered again, and the module is read no further meanwhile: its own pipe holds it back.
 * `roomy` is called when the intake takes lines again. The bounds hold over restarts of the module.
 */
export function createIntake(
  module: string,
  host: SupervisorHost,
  clock: Clock,
  log: Log,
  roomy: () => void,
): Intake {
  let printed = 0;
  let unsettled = 0;
  let unsettledBytes = 0;
  let refused = 0;
  let heldBack = false;
  /** Lines without room, in order. */
  let waiting: Buffer[] = [];
  const warn = createWarning(clock, log);

  const offer = (line: Buffer): void => {
    host.line(module, line, error => {
      if (error !== undefined) refuse(line, error);
      if (isTransient(error)) return;
      unsettled -= 1;
      unsettledBytes -= line.length;
      roomy();
    });
  };

  const refuse = (line: Buffer, error: Error): void => {
    refused += 1;
    if (!isTransient(error)) {
      warn(`A line of module "${module}" is not delivered: ${error.message}`);
      return;
    }
    warn(`Lines of module "${module}" are held back: ${error.message}`);
    if (waiting.push(line) === 1) clock.after(LINE_RETRY, offerAgain);
  };

  const offerAgain = (): void => {
    const lines = waiting;
    waiting = [];
    for (const line of lines) offer(line);
    roomy();
  };

  /** True while the host is behind; `roomy` is called once it has caught up. */
  const isHeldBack = (): boolean => {
    if (host.pressure?.high() !== true) return false;
    if (heldBack) return true;
    heldBack = true;
    host.pressure.whenLow(() => {
      heldBack = false;
      roomy();
    });
    return true;
  };

  return {
    ready: () =>
      unsettled < MAX_UNSETTLED_LINES &&
      unsettledBytes < MAX_UNSETTLED_LINE_BYTES &&
      waiting.length === 0 &&
      !isHeldBack(),
    begin: () => {
      printed = 0;
    },
    take: line => {
      printed += 1;
      unsettled += 1;
      unsettledBytes += line.length;
      offer(line);
    },
    exceeded: maxBytes => {
      printed += 1;
      refused += 1;
      warn(
        `A line of module "${module}" is not delivered: it is longer than ${maxBytes} bytes, the largest packet. Print less in one line.`,
      );
    },
    printed: () => printed,
    refused: () => refused,
  };
}

/** Logs the first of many warnings, and how many there were since the last one: a module may cause one with each line. */
function createWarning(clock: Clock, log: Log): (text: string) => void {
  let loggedAt = Number.NEGATIVE_INFINITY;
  let unlogged = 0;
  return text => {
    const now = clock.monotonic();
    if (now - loggedAt < LINE_WARNING_INTERVAL) {
      unlogged += 1;
      return;
    }
    log.warn(unlogged === 0 ? text : `${text} (${unlogged} more before it)`);
    loggedAt = now;
    unlogged = 0;
  };
}

/** True if the same line may be kept another time. */
function isTransient(error: Error | undefined): boolean {
  return error instanceof Failure && (error.code === 'store.full' || error.code === 'store.write');
}
