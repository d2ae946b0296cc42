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

/** Environment variable with the run tag. Children inherit it. */
const RUN_VARIABLE = 'SKERRY_RUN';

/**
 * Maximum number of kill attempts, and milliseconds between two. SIGKILL takes effect at once unless a
 * process is stuck in disk I/O.
 */
const KILL_ROUNDS = 100;
const KILL_ROUND = 20;

/**
 * Finds and kills orphaned processes: children that left a module's process group, and processes that a
 * crashed hub left running.
 */
export type OrphanKiller = {
  /** Creates a unique run tag for the next process of a module. */
  readonly newTag: (module: string) => RunTag;
  /**
   * Kills all processes of a cgroup with SIGKILL. Resolves when none is left or after an error is logged
   * because some survive.
   */
  readonly killCgroup: (group: Cgroup) => Promise<void>;
  /**
   * Returns the pids with this tag that started after `pid`. Only valid shortly after that start, because
   * pids wrap around.
   */
  readonly taggedSince: (tag: RunTag, pid: number) => number[];
  /**
   * Kills all processes with this tag with SIGKILL. Resolves when none is left or after an error is logged
   * because some survive. A process that cleared its environment is not found.
   */
  readonly killTagged: (tag: RunTag) => Promise<void>;
  /** Returns all tagged processes of this run with their modules. Reads all of /proc. */
  readonly tagged: () => ModulePid[];
  /**
   * Kills the processes that the last run left: recorded process groups whose leader is the same process, and
   * all processes with a tag of that run. Resolves to true if there was an earlier run since boot.
   * @throws Failure `data.unwritable`
   */
  readonly killFromLastRun: () => Promise<boolean>;
  /** Records the process of a module that was just started. */
  readonly record: (pid: number) => void;
  readonly forget: (pid: number) => void;
};

/** Run tag: identifies one process of a module and all its descendants through an environment variable. */
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
      `Cannot write ${file} (${reasonOf(error)}): if the hub crashes, its modules may be left running.`,
    );

  const recordOrLog = (): void => {
    try {
      record();
    } catch (error) {
      logFailure(error);
    }
  };

  /** Modules also start on a full disk, because one of them may free space. */
  const recordUnlessFull = (): void => {
    try {
      record();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      logFailure(error);
    }
  };

  const killOrLog = async (killOnce: () => boolean): Promise<void> => {
    if (boot === undefined || (await killUntilGone(killOnce, clock))) return;
    log.error('Orphaned processes of a module survive SIGKILL: end them by hand.');
  };

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
    killCgroup: group => killOrLog(group.kill),
    killTagged: ({ text }) =>
      killOrLog(() => killFound(() => pidsWithVariable(RUN_VARIABLE, value => value === text))),
    killFromLastRun: async () => {
      const lastRun = orUnwritable(runFolder, () => readLastRun(file));
      if (boot === undefined)
        log.warn('/proc is not mounted: orphaned processes of a crashed hub are not found.');
      // After a reboot none of the processes is left, and their pids may belong to other processes.
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

/** Replaces the file atomically by a rename. On a full disk it overwrites the old file in place. */
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
  log.warn(`Killing ${found} orphaned processes of the last run.`);
  const find = (): number[] => {
    for (const leader of leaders()) signalProcessGroup(leader, 'SIGKILL');
    return [...leaders(), ...tagged()];
  };
  if (await killUntilGone(() => killFound(find), clock)) return;
  log.error(
    'Orphaned processes of the last run survive SIGKILL: modules may run twice until they are ended by hand.',
  );
}

/** Calls `killOnce` until it reports that no process is left. Resolves to false if processes survive. */
export async function killUntilGone(killOnce: () => boolean, clock: Clock): Promise<boolean> {
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    if (killOnce()) return true;
    await pause(clock, KILL_ROUND);
  }
  return false;
}

/** Kills the processes that `find` returns. True if it returned none. */
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
 * Reads the records of the last run: its tag in the first line, then `<pid> <start time>` per line. Other
 * lines are skipped.
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
