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
import { bootId, pidsSince, pidsWith, runningProcess } from '../../core/proc.ts';
import type { ControlGroup } from '../cgroups/cgroup.ts';
import type { ModulePid } from '../peers/open-sockets.ts';
import { pause } from './pause.ts';
import { signalGroup } from './process-group.ts';

/** In the environment of every module and so of all its children: names the run of the hub and the module. */
const RUN_VARIABLE = 'SKERRY_RUN';

/** Rounds of killing what is left, and the milliseconds between two: SIGKILL works at once but for a stuck disk. */
const KILL_ROUNDS = 100;
const KILL_ROUND = 20;

/** What a hub that crashed left running is found by the notes that it kept in its run folder. */
export type Leftovers = {
  /** A new mark for the next process of a module; no other start has the same. */
  readonly mark: (module: string) => Mark;
  /** Ends by SIGKILL all that is in a control group. Resolves when none is left, or cannot be killed, which is logged. */
  readonly endGroup: (group: ControlGroup) => Promise<void>;
  /** The pids of those that bear a mark and were started since `pid` was, of late: pids are given anew. */
  readonly followers: (mark: Mark, pid: number) => number[];
  /**
   * Ends by SIGKILL all that bear a mark, wherever they went. Resolves when none is left, or cannot be killed, which is
   * logged. A process that wiped its environment is not found.
   */
  readonly endMarked: (mark: Mark) => Promise<void>;
  /** The processes of this run by the mark in their environment, with their modules. Reads all of /proc. */
  readonly marked: () => ModulePid[];
  /**
   * Ends by SIGKILL what the last run noted and left: the groups whose leader still is the same process, and every
   * process that has the run's mark in its environment, be its leader dead. Tells whether there was a last run since
   * the machine was started. Throws the Failure `data.unwritable`.
   */
  readonly takeDown: () => Promise<boolean>;
  /** Notes the process of a module that was just started. */
  readonly record: (pid: number) => void;
  readonly forget: (pid: number) => void;
};

/** What tells a process of a module, and all that it starts: in its environment. */
export type Mark = { readonly environment: Readonly<Record<string, string>>; readonly text: string };

type Noted = Pick<RunningProcess, 'pid' | 'started'>;

type Notes = { readonly run: string; readonly processes: readonly Noted[] };

export function createLeftovers(runFolder: string, clock: Clock, log: Log): Leftovers {
  const file = join(runFolder, 'processes');
  const boot = bootId();
  const run = `${boot}/${process.pid}/${runningProcess(process.pid)?.started}`;
  const running = new Map<number, Noted>();
  let marks = 0;

  const note = (): void => {
    const lines = [...running.values()].map(({ pid, started }) => `${pid} ${started}\n`);
    replaceFile(file, `${run}\n${lines.join('')}`);
  };

  const complain = (error: unknown): void =>
    log.error(
      `${file} cannot be written (${reasonOf(error)}): after a crash of the hub, modules may be left running.`,
    );

  const noteIfPossible = (): void => {
    try {
      note();
    } catch (error) {
      complain(error);
    }
  };

  /** On a full disk modules run all the same: one of them may be what makes room. */
  const noteUnlessFull = (): void => {
    try {
      note();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      complain(error);
    }
  };

  const end = async (strike: () => boolean): Promise<void> => {
    if (boot === undefined || (await strikeAll(strike, clock))) return;
    log.error('Processes that a module left cannot be killed: end them by hand.');
  };

  return {
    mark: module => {
      marks += 1;
      const text = `${run}/${module}/${marks}`;
      return { environment: { [RUN_VARIABLE]: text }, text };
    },
    followers: ({ text }, pid) => pidsWith(RUN_VARIABLE, value => value === text, pidsSince(pid)),
    marked: () => {
      const found: ModulePid[] = [];
      pidsWith(RUN_VARIABLE, (value, pid) => {
        if (!value.startsWith(`${run}/`)) return false;
        found.push({ module: value.slice(run.length + 1).split('/')[0] ?? '', pid });
        return true;
      });
      return found;
    },
    endGroup: group => end(group.kill),
    endMarked: ({ text }) => end(() => killFound(() => pidsWith(RUN_VARIABLE, value => value === text))),
    takeDown: async () => {
      const notes = usable(runFolder, () => readNotes(file));
      if (boot === undefined)
        log.warn('There is no /proc here: what a crash of the hub leaves running is not found.');
      // After another boot nothing of the last run is left, and its pids are other people's.
      const sameBoot = boot !== undefined && notes?.run.startsWith(`${boot}/`) === true;
      if (sameBoot) await takeDown(notes, clock, log);
      usable(runFolder, () => {
        mkdirSync(runFolder, { recursive: true, mode: 0o700 });
        noteUnlessFull();
      });
      return sameBoot;
    },
    record: pid => {
      const found = runningProcess(pid);
      if (found === undefined) return;
      running.set(pid, found);
      noteIfPossible();
    },
    forget: pid => {
      if (running.delete(pid)) noteIfPossible();
    },
  };
}

/** Renamed into place: a crash half way through leaves the old text. On a full disk the text takes the place of the old one. */
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

function usable<Result>(folder: string, use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    const sentence = `The folder ${folder} cannot be used (${reasonOf(error)}): choose another or correct its rights.`;
    throw new Failure('data.unwritable', sentence);
  }
}

async function takeDown(notes: Notes, clock: Clock, log: Log): Promise<void> {
  const leaders = (): number[] => notes.processes.filter(isStill).map(({ pid }) => pid);
  const marked = (): number[] =>
    pidsWith(RUN_VARIABLE, value => value === notes.run || value.startsWith(`${notes.run}/`));
  const found = new Set([...leaders(), ...marked()]).size;
  if (found === 0) return;
  log.warn(`The last run left ${found} processes behind: they are killed.`);
  const find = (): number[] => {
    for (const leader of leaders()) signalGroup(leader, 'SIGKILL');
    return [...leaders(), ...marked()];
  };
  if (await strikeAll(() => killFound(find), clock)) return;
  log.error(
    'Processes of the last run could not be killed: modules may run twice until they are ended by hand.',
  );
}

/** Strikes until nobody is left; false if that does not come to an end. */
export async function strikeAll(strike: () => boolean, clock: Clock): Promise<boolean> {
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    if (strike()) return true;
    await pause(clock, KILL_ROUND);
  }
  return false;
}

/** Kills what `find` finds; true: nobody was found. */
function killFound(find: () => number[]): boolean {
  const found = find().filter(pid => pid !== process.pid);
  for (const pid of found) killProcess(pid);
  return found.length === 0;
}

function isStill({ pid, started }: Noted): boolean {
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

/** The notes of the last run: its name in the first line, then `<pid> <start>`; a line that is neither is skipped. */
function readNotes(file: string): Notes | undefined {
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
