import { readFileSync, readlinkSync } from 'node:fs';
import { reasonOf, systemCode } from '../core/errors.ts';
import { allPids, pidsWithVariable } from '../core/proc.ts';
import { GUARD_VARIABLE, guardMark } from './env-markers.ts';
import { ORPHAN_CHECK_MS } from './limits.ts';
import type { Places } from './paths.ts';
import { SLOTS } from './paths.ts';
import type { Guard } from './state.ts';

/** Resolves after milliseconds. */
export type Pause = (milliseconds: number) => Promise<void>;

/**
 * Ends what a guard started that is gone itself: its hub is asked to, as it is when it sees that by itself, and killed
 * after `grace` seconds. The data folder is free then.
 */
export async function endLeftOf(places: Places, guard: Guard, grace: number, pause: Pause): Promise<void> {
  const mark = guardMark(guard);
  const left = (): number[] =>
    [...pidsWithVariable(GUARD_VARIABLE, value => value === mark), ...beingStarted(places)].filter(
      pid => pid !== process.pid,
    );
  const rounds = (grace * 1000) / ORPHAN_CHECK_MS;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of left()) send(pid, signal);
    for (let round = 0; round < rounds && left().length > 0; round++) await pause(ORPHAN_CHECK_MS);
  }
}

/** Processes that are becoming a hub in a slot: for that moment they have no environment. */
function beingStarted(places: Places): number[] {
  const programs = SLOTS.map(places.binary);
  return allPids().filter(pid => {
    try {
      return (
        programs.includes(readlinkSync(`/proc/${pid}/exe`)) &&
        readFileSync(`/proc/${pid}/environ`).length === 0
      );
    } catch (thrown) {
      if (GONE_OR_FOREIGN.includes(systemCode(thrown) ?? '')) return false;
      throw new Error(`/proc/${pid} cannot be read: ${reasonOf(thrown)}`);
    }
  });
}

const GONE_OR_FOREIGN = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ESRCH') throw thrown;
  }
}
