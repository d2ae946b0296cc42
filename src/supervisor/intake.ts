import { MAX_UNSETTLED_LINES } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { LineSink } from './reader.ts';
import type { SupervisorHost } from './spec.ts';

/** The messages of one module on their way to the host. */
export type Intake = LineSink & {
  /** Lines that the host settled with an error. */
  readonly refused: () => number;
};

/** `roomy` is called when the intake takes lines again. The bound holds over restarts of the module. */
export function createIntake(module: string, host: SupervisorHost, log: Log, roomy: () => void): Intake {
  let unsettled = 0;
  let refused = 0;
  let refusing = false;

  const settled = (error: Error | undefined): void => {
    unsettled -= 1;
    if (error !== undefined) {
      refused += 1;
      if (!refusing) log.warn(`Lines of module "${module}" are not kept: ${error.message}`);
    }
    refusing = error !== undefined;
    roomy();
  };

  return {
    ready: () => unsettled < MAX_UNSETTLED_LINES,
    take: line => {
      unsettled += 1;
      host.line(module, line, settled);
    },
    refused: () => refused,
  };
}
