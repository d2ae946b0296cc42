import { constants } from 'node:os';
import type { TrialEnd } from './env-markers.ts';
import type { Guard, State, Trial } from './state.ts';

/** What is known of the last start on trial when the next one is to be decided on. */
export type Findings = {
  /** How it ended; undefined: nobody was left to tell. */
  readonly ended: TrialEnd | undefined;
  /** It ended because it was told to, which is no failure of it. */
  readonly stopped: boolean;
  /** Why the binary on trial cannot be run. */
  readonly damage: string | undefined;
};

/** Counts the last start on trial, and then either the next one, which `guard` watches over, or returns. Pure. */
export function nextTry(state: State, trial: Trial, findings: Findings, guard: Guard): State {
  const counted = count(trial, findings);
  const reason = reasonToReturn(counted, findings);
  if (reason === undefined) return { ...state, trial: { ...counted, tries: counted.tries + 1 }, guard };
  return returned(state, trial, reason);
}

/** The state in which the trial is over and the binary of before is in use. */
export function returned(state: State, { slot }: Trial, reason: string): State {
  const { sha256 = '', version = '' } = state.slots[slot] ?? {};
  return { ...state, trial: undefined, guard: undefined, returned: { sha256, version, reason } };
}

function count(trial: Trial, { ended, stopped }: Findings): Trial {
  if (stopped) return { ...trial, tries: Math.max(0, trial.tries - 1), lastEnd: '' };
  if (ended === undefined) return { ...trial, lastEnd: '' };
  const seconds = trial.seconds + ended.seconds;
  return { ...trial, seconds, lastEnd: endInWords(ended) };
}

function reasonToReturn(trial: Trial, { ended, damage }: Findings): string | undefined {
  const { limits, tries, seconds, lastEnd } = trial;
  if (damage !== undefined) return damage;
  if (ended?.how === 'late') return `it was not healthy within ${limits.seconds} seconds`;
  const last = `the last start ${lastEnd === '' ? 'was cut off' : lastEnd}`;
  if (tries >= limits.starts) return `it was not healthy in ${tries} starts: ${last}`;
  if (seconds >= limits.seconds) return `it was not healthy within ${limits.seconds} seconds: ${last}`;
  return undefined;
}

/** A shell tells an end by a signal as 128 and its number. */
function endInWords({ how }: TrialEnd): string {
  if (how === 'late') return 'took too long';
  const signal = Object.entries(constants.signals).find(([, number]) => number === how - 128)?.[0];
  return signal === undefined ? `ended with exit code ${how}` : `was ended by ${signal}`;
}
