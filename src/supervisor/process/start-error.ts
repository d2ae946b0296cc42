import { reasonOf } from '../../core/errors.ts';

/** Error that prevents the start of a module. */
export type StartError = {
  /** Reason as one sentence. */
  readonly reason: string;
  /**
   * True if the cause can disappear without a change of the module. The start is then retried with back-off.
   */
  readonly transient: boolean;
};

/** Returns the start error for an exception inside the hub. */
export function startFailed(error: unknown): StartError {
  return { reason: `Internal error: ${reasonOf(error)}.`, transient: true };
}
