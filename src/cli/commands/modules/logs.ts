import type { FSWatcher } from 'node:fs';
import { readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { Failure, systemCode } from '../../../core/errors.ts';
import { durationOf } from '../../../manifest/units.ts';
import type { LogReader } from '../../../supervisor/logs/log-reader.ts';
import { openLogReader } from '../../../supervisor/logs/log-reader.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { LOGS } from '../../reference/modules.ts';
import { printError, systemClock, write } from '../../system.ts';
import type { LogEntry } from './log-entries.ts';
import { asJson, asText, entriesByTime, filtered, lastOf } from './log-entries.ts';

const SUFFIX = '.log';

/** Default number of printed lines. */
const DEFAULT_LINES = 100;

/** Milliseconds between two reads of the logs if the system reports no file changes. */
const POLL_MS = 2_000;

/**
 * Milliseconds from a reported file change until the logs are read. Several changes within this time cause
 * only one read.
 */
const READ_DELAY_MS = 20;

/**
 * Prints the lines of the modules' logs in the order of their times. With -f, also prints new lines until a
 * signal ends the command. Works without a running hub.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: wanted } = argumentsOf(LOGS, args);
  const searched = values.since !== undefined || values.grep !== undefined;
  const lines = linesOf(values.lines) ?? (searched ? Number.POSITIVE_INFINITY : DEFAULT_LINES);
  const since = sinceOf(values.since);
  const grep = values.grep === undefined ? undefined : Buffer.from(values.grep);
  const folder = join(dataFolder(values.data), 'logs');
  const readers = new Map<string, LogReader>();

  const open = (last: number): void => {
    const names = modulesLogged(folder).filter(name => wanted.length === 0 || wanted.includes(name));
    for (const name of names) {
      if (!readers.has(name)) readers.set(name, openLogReader(join(folder, name + SUFFIX), last));
    }
  };
  const passes = ({ time, line }: LogEntry): boolean =>
    time >= since && (grep === undefined || line.includes(grep));
  const named = wanted.length !== 1;
  const show = (entry: LogEntry): void => write(values.json ? asJson(entry) : asText(entry, named));

  open(searched ? Number.POSITIVE_INFINITY : lines);
  const missing = wanted.filter(name => !readers.has(name));
  if (missing.length > 0 && !values.follow) await explainMissing(missing, values.data);
  const news = (): Iterable<LogEntry> => filtered(entriesByTime(readers), passes);
  for (const entry of lastOf(news(), lines)) show(entry);
  if (!values.follow) return 0;
  return follow(folder, () => {
    open(Number.POSITIVE_INFINITY);
    for (const entry of news()) show(entry);
  });
}

/**
 * Handles module names without a log. For a module of the running hub, prints that the module has logged
 * nothing yet. Throws Failure `module.unknown` for any other name.
 */
async function explainMissing(missing: readonly string[], data: string | undefined): Promise<void> {
  const folder = dataFolder(data);
  const known = new Set(await moduleNames(folder));
  const unknown = missing.find(name => !known.has(name));
  if (unknown !== undefined) {
    const sentence = `There is no log of a module "${unknown}" in ${join(folder, 'logs')}.`;
    throw new Failure('module.unknown', sentence);
  }
  for (const name of missing) printError(`Module "${name}" has logged nothing yet.`);
}

/** Returns the module names of the running hub. Empty if no hub runs. */
async function moduleNames(folder: string): Promise<string[]> {
  try {
    const { modules } = await ask(folder, 'status');
    return modules.map(({ name }) => name);
  } catch (thrown) {
    if (thrown instanceof Failure) return [];
    throw thrown;
  }
}

function linesOf(flag: string | undefined): number | undefined {
  if (flag === undefined) return undefined;
  if (/^\d{1,9}$/.test(flag)) return Number(flag);
  throw usageFailure('--lines must be a whole number', LOGS);
}

/** Converts the value of --since to the earliest wall time of printed entries, in the format of the log. */
function sinceOf(flag: string | undefined): string {
  if (flag === undefined) return '';
  const ago = durationOf(flag);
  const time = ago === undefined ? Date.parse(flag) : systemClock.wall() - ago;
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw usageFailure('--since must be a time ago such as "90s", "2h" or "7d", or an ISO 8601 time', LOGS);
}

/** Calls `read` whenever the logs can contain new lines. */
function follow(folder: string, read: () => void): Promise<never> {
  return new Promise((_, reject) => {
    let gathering = false;
    const readNow = (): void => {
      gathering = false;
      try {
        read();
      } catch (error) {
        reject(error);
      }
    };
    const changed = (): void => {
      if (!gathering) setTimeout(readNow, READ_DELAY_MS);
      gathering = true;
    };
    // If the system has no free inotify watch, the logs are read every POLL_MS only.
    watchIfPossible(folder, changed)?.on('error', () => {});
    setInterval(changed, POLL_MS);
  });
}

function watchIfPossible(folder: string, changed: () => void): FSWatcher | undefined {
  try {
    return watch(folder, changed);
  } catch {
    return undefined;
  }
}

function modulesLogged(folder: string): string[] {
  try {
    const files = readdirSync(folder).filter(file => file.endsWith(SUFFIX));
    return files.map(file => file.slice(0, -SUFFIX.length)).sort();
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'EACCES')
      throw new Failure('hub.unreachable', `You may not read ${folder}: use the hub's user, or root.`);
    if (code !== 'ENOENT') throw thrown;
    throw new Failure(
      'hub.unreachable',
      `There are no logs in ${folder}: name the hub's folder with --data DIR.`,
    );
  }
}
