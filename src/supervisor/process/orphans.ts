import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { Failure, isDiskFull, reasonOf, systemCode } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { RunningProcess } from '../../core/proc.ts';
import { bootId, pidsStartedAfter, pidsWithVariable, runningProcess } from '../../core/proc.ts';
import type { Cgroup } from '../cgroups/cgroup.ts';
import type { ModulePid } from '../peers/open-sockets.ts';
import { pause } from './pause.ts';
import { signalProcessGroup } from './process-group.ts';

/**
 * Environment variable that holds the run tag, which identifies one run of a module. Child processes inherit
 * this variable.
 */
const RUN_VARIABLE = 'SKERRY_RUN';

/**
 * Maximum number of attempts to kill processes. Only a process that is stuck in disk I/O survives this number
 * of attempts.
 */
const MAX_KILL_ATTEMPTS = 100;

/** Milliseconds between two attempts to kill processes. */
const KILL_INTERVAL_MS = 20;

/**
 * Finds and kills orphaned processes: child processes that left a module's process group, and processes that
 * a crashed hub left running.
 */
export type OrphanKiller = {
  /**
   * Creates a unique run tag (an environment variable that identifies a run of a module) for the next process
   * of a module.
   */
  readonly newTag: (module: string) => RunTag;
  /**
   * Kills all processes of a cgroup with SIGKILL. Resolves when no process runs in the cgroup. If processes
   * survive all attempts, logs their pids and resolves.
   */
  readonly killCgroup: (group: Cgroup) => Promise<void>;
  /**
   * Returns the pids of processes that have this tag and started after process `pid`. Must be called shortly
   * after the start of process `pid`, because the kernel reuses pids.
   */
  readonly taggedSince: (tag: RunTag, pid: number) => number[];
  /**
   * Kills all processes that have this tag with SIGKILL. Resolves when no such process runs. If processes
   * survive all attempts, logs their pids and resolves. A process that has cleared its environment is not
   * found.
   */
  readonly killTagged: (tag: RunTag) => Promise<void>;
  /**
   * Returns all processes with a tag that was created since the start of this hub, and their modules. Reads
   * the environment of every process on the machine.
   */
  readonly tagged: () => ModulePid[];
  /**
   * Kills the processes that the previous run of the hub left running: the recorded process groups, and all
   * processes with a tag of that run. Resolves to true if the hub has run before since the machine booted.
   * @throws Failure `data.unwritable`
   */
  readonly killFromLastRun: () => Promise<boolean>;
  /**
   * Records a module's process in a file. After a crash, the next run of the hub reads this file and kills
   * the process.
   */
  readonly record: (pid: number) => void;
  /** Removes the record of an exited process from the file. */
  readonly forget: (pid: number) => void;
};

/** Value of an environment variable that identifies one process of a module and all its descendants. */
export type RunTag = { readonly environment: Readonly<Record<string, string>>; readonly text: string };

type RecordedProcess = Pick<RunningProcess, 'pid' | 'started'>;

type LastRun = { readonly run: string; readonly processes: readonly RecordedProcess[] };

export function createOrphanKiller(runFolder: string, clock: Clock, log: Log): OrphanKiller {
  const file = join(runFolder, 'processes');
  const boot = bootId();
  const run = `${boot}/${process.pid}/${runningProcess(process.pid)?.started}`;
  const running = new Map<number, RecordedProcess>();
  let tags = 0;

  const record = (): void => {
    const lines = [...running.values()].map(({ pid, started }) => `${pid} ${started}\n`);
    replaceFile(file, `${run}\n${lines.join('')}`);
  };

  const logFailure = (error: unknown): void =>
    log.error(
      `Cannot write ${file} (${reasonOf(error)}): modules may keep running if the hub crashes. Free disk space, or correct the permissions.`,
    );

  const recordOrLog = (): void => {
    try {
      record();
    } catch (error) {
      logFailure(error);
    }
  };

  /**
   * Writes the pids of the running processes to the file. A full disk is only logged, because a module that
   * starts later can free space.
   */
  const recordUnlessFull = (): void => {
    try {
      record();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      logFailure(error);
    }
  };

  const killOrLog = async (killOnce: () => boolean, pids: () => readonly number[]): Promise<void> => {
    if (boot === undefined || (await killUntilGone(killOnce, clock))) return;
    log.error(
      `Child processes of a module survive SIGKILL (pids ${pids().join(', ')}): kill them as root, or reboot.`,
    );
  };

  const withTag = (text: string): number[] => pidsWithVariable(RUN_VARIABLE, value => value === text);

  return {
    newTag: module => {
      tags += 1;
      const text = `${run}/${module}/${tags}`;
      return { environment: { [RUN_VARIABLE]: text }, text };
    },
    taggedSince: ({ text }, pid) =>
      pidsWithVariable(RUN_VARIABLE, value => value === text, pidsStartedAfter(pid)),
    tagged: () => {
      const found: ModulePid[] = [];
      pidsWithVariable(RUN_VARIABLE, (value, pid) => {
        if (!value.startsWith(`${run}/`)) return false;
        found.push({ module: value.slice(run.length + 1).split('/')[0] ?? '', pid });
        return true;
      });
      return found;
    },
    killCgroup: group => killOrLog(group.kill, group.pids),
    killTagged: ({ text }) => {
      const pids = (): number[] => withTag(text);
      return killOrLog(() => killFound(pids), pids);
    },
    killFromLastRun: async () => {
      const lastRun = orUnwritable(runFolder, () => readLastRun(file));
      if (boot === undefined)
        log.warn(
          '/proc is not mounted, so processes that a crashed hub left running are not killed: mount /proc.',
        );
      // After a reboot, none of the recorded processes runs, and their pids can belong to other processes.
      const sameBoot = boot !== undefined && lastRun?.run.startsWith(`${boot}/`) === true;
      if (sameBoot) await killLastRun(lastRun, clock, log);
      orUnwritable(runFolder, () => {
        mkdirSync(runFolder, { recursive: true, mode: 0o700 });
        recordUnlessFull();
      });
      return sameBoot;
    },
    record: pid => {
      const found = runningProcess(pid);
      if (found === undefined) return;
      running.set(pid, found);
      recordOrLog();
    },
    forget: pid => {
      if (running.delete(pid)) recordOrLog();
    },
  };
}

/** Replaces the file atomically by a rename. On a full disk, overwrites the old file in place. */
function replaceFile(file: string, text: string): void {
  try {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    if (!isDiskFull(error) || !existsSync(file)) throw error;
    const descriptor = openSync(file, 'r+');
    try {
      writeSync(descriptor, text);
      ftruncateSync(descriptor, Buffer.byteLength(text));
    } finally {
      closeSync(descriptor);
    }
  }
}

function orUnwritable<Result>(folder: string, use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    const sentence = `Cannot use folder ${folder} (${reasonOf(error)}): choose another one or correct its permissions.`;
    throw new Failure('data.unwritable', sentence);
  }
}

async function killLastRun(lastRun: LastRun, clock: Clock, log: Log): Promise<void> {
  const leaders = (): number[] => lastRun.processes.filter(isSameProcess).map(({ pid }) => pid);
  const tagged = (): number[] =>
    pidsWithVariable(RUN_VARIABLE, value => value === lastRun.run || value.startsWith(`${lastRun.run}/`));
  const found = new Set([...leaders(), ...tagged()]).size;
  if (found === 0) return;
  log.warn(`Killing ${found} orphaned processes of the last run of this hub.`);
  const find = (): number[] => {
    for (const leader of leaders()) signalProcessGroup(leader, 'SIGKILL');
    return [...leaders(), ...tagged()];
  };
  if (await killUntilGone(() => killFound(find), clock)) return;
  log.error(
    'Orphaned processes of the last run survive SIGKILL, so modules may run twice: kill the processes as root, or reboot.',
  );
}

/**
 * Calls `killOnce` repeatedly until it returns true, which means that no process runs. Resolves to false if
 * processes survive all attempts.
 */
export async function killUntilGone(killOnce: () => boolean, clock: Clock): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_KILL_ATTEMPTS; attempt += 1) {
    if (killOnce()) return true;
    await pause(clock, KILL_INTERVAL_MS);
  }
  return false;
}

/** Kills the processes that `find` returns. Returns true if `find` returned no process. */
function killFound(find: () => number[]): boolean {
  const found = find().filter(pid => pid !== process.pid);
  for (const pid of found) killProcess(pid);
  return found.length === 0;
}

function isSameProcess({ pid, started }: RecordedProcess): boolean {
  return runningProcess(pid)?.started === started;
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/**
 * Reads the records that the previous run of the hub wrote. The first line is the tag of that run, and each
 * further line is `<pid> <start time>`. Invalid lines are skipped.
 */
function readLastRun(file: string): LastRun | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const [run = '', ...lines] = text.split('\n');
  const processes = lines
    .map(line => /^(\d+) (\d+)$/.exec(line))
    .filter(match => match !== null)
    .map(match => ({ pid: Number(match[1]), started: Number(match[2]) }));
  return { run, processes };
}
