import { readFileSync, readlinkSync } from 'node:fs';
import { reasonOf, systemCode } from '../core/errors.ts';
import { allPids, pidsWithVariable } from '../core/proc.ts';
import { WATCHDOG_VARIABLE, watchdogMarker } from './env-markers.ts';
import { ORPHAN_CHECK_MS } from './limits.ts';
import type { UpdatePaths } from './paths.ts';
import { SLOTS } from './paths.ts';
import type { WatchdogProcess } from './state.ts';

/** Function whose promise resolves after the given milliseconds. */
export type Sleep = (milliseconds: number) => Promise<void>;

/**
 * Ends the orphans (processes that a killed watchdog left behind): sends SIGTERM, and SIGKILL after `grace`
 * seconds. Resolves when no orphan is left, at the latest `grace` seconds after SIGKILL.
 */
export async function killOrphans(
  paths: UpdatePaths,
  watchdog: WatchdogProcess,
  grace: number,
  pause: Sleep,
): Promise<void> {
  const marker = watchdogMarker(watchdog);
  const orphans = (): number[] =>
    [...pidsWithVariable(WATCHDOG_VARIABLE, value => value === marker), ...processesInExec(paths)].filter(
      pid => pid !== process.pid,
    );
  const rounds = (grace * 1000) / ORPHAN_CHECK_MS;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of orphans()) send(pid, signal);
    for (let round = 0; round < rounds && orphans().length > 0; round++) await pause(ORPHAN_CHECK_MS);
  }
}

/**
 * Returns the pids of processes that are executing the binary of a slot by `execve`. During `execve` a
 * process has no environment, so the search by environment does not find it.
 */
function processesInExec(paths: UpdatePaths): number[] {
  const programs = SLOTS.map(paths.binary);
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
