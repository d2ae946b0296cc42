import { constants } from 'node:os';
import type { TrialEnd } from './env-markers.ts';
import type { Trial, UpdateState, WatchdogProcess } from './state.ts';

/** Result of the last trial start. */
export type TrialFindings = {
  /** Exit of the hub. Undefined if the watchdog did not report the exit, for example after a power cut. */
  readonly ended: TrialEnd | undefined;
  /** True if a signal stopped the hub. Such a start does not count as failed. */
  readonly stopped: boolean;
  /** Reason why the binary on trial cannot run. Undefined if it can run. */
  readonly damage: string | undefined;
};

/**
 * Counts the last trial start and returns the new state. If the trial continues, `guard` is the watchdog of
 * the next start. If the trial has failed, the new state contains no trial.
 */
export function nextTrialState(
  state: UpdateState,
  trial: Trial,
  findings: TrialFindings,
  guard: WatchdogProcess,
): UpdateState {
  const counted = count(trial, findings);
  const reason = failureReason(counted, findings);
  if (reason === undefined) return { ...state, trial: { ...counted, tries: counted.tries + 1 }, guard };
  return endTrial(state, trial, reason);
}

/** Returns the state after a failed trial. The hub then uses the previous binary again. */
export function endTrial(state: UpdateState, { slot }: Trial, reason: string): UpdateState {
  const { sha256 = '', version = '' } = state.slots[slot] ?? {};
  return { ...state, trial: undefined, guard: undefined, returned: { sha256, version, reason } };
}

function count(trial: Trial, { ended, stopped }: TrialFindings): Trial {
  if (stopped) return { ...trial, tries: Math.max(0, trial.tries - 1), lastEnd: '' };
  if (ended === undefined) return { ...trial, lastEnd: '' };
  const seconds = trial.seconds + ended.seconds;
  return { ...trial, seconds, lastEnd: describeEnd(ended) };
}

function failureReason(trial: Trial, { ended, damage }: TrialFindings): string | undefined {
  const { limits, tries, seconds, lastEnd } = trial;
  if (damage !== undefined) return damage;
  if (ended?.how === 'late') return `it was not healthy within ${limits.seconds} seconds`;
  const last = `the last start ${lastEnd === '' ? 'was cut off' : lastEnd}`;
  if (tries >= limits.starts) return `it was not healthy in ${tries} starts: ${last}`;
  if (seconds >= limits.seconds) return `it was not healthy within ${limits.seconds} seconds: ${last}`;
  return undefined;
}

/** Returns the description of an exit. A shell reports a signal as 128 plus its number. */
function describeEnd({ how }: TrialEnd): string {
  if (how === 'late') return 'timed out';
  const signal = Object.entries(constants.signals).find(([, number]) => number === how - 128)?.[0];
  return signal === undefined ? `exited with code ${how}` : `was killed by ${signal}`;
}
