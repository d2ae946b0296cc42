import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { Failure, systemCode } from '../core/errors.ts';
import type { LogSink } from '../core/log.ts';
import { logLine, logObject } from '../core/logging/line.ts';
import type { Random } from '../core/random.ts';
import { escapeHidden } from '../core/text/escape.ts';

/**
 * Escape sequences of the commands' styles (bold, red, green, yellow). They cannot hide text or move the
 * cursor.
 */
const STYLE = new RegExp(`(${String.fromCharCode(0x1b)}\\[(?:1|22|31|32|33|39)m)`);

/** Control characters that are not escaped in a text of several lines. */
const KEPT = '\n\t';

/** Exit code that a shell reports for a process that SIGPIPE ended. */
const SIGPIPE_EXIT = 141;

/** System clock. This file is the only one that uses the system's time, randomness and terminal. */
export const systemClock: Clock = {
  // As precise as `performance`, which would load 0.2 MB that a hub does not need otherwise.
  monotonic: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  wall: () => Date.now(),
  after: (milliseconds, action) => {
    if (milliseconds <= 0) {
      // An unreferenced immediate would run only when another event wakes the loop.
      const immediate = setImmediate(action);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(action, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: count => randomBytes(count),
};

/** Resolves after milliseconds. Keeps the process alive, unlike a timer of the clock. */
export function systemPause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

/**
 * Replaces the process by another program (execve), which keeps the pid and the standard streams. Exits if
 * the program cannot be executed.
 */
export function become(command: readonly string[], env: NodeJS.ProcessEnv): never {
  const [program = ''] = command;
  if (process.execve === undefined) throw new Failure('update.state', `${program} cannot be started here.`);
  return process.execve(program, command, env);
}

/** Writes log lines to standard error: wall time, level, area, sentence, fields. */
export const standardErrorLog: LogSink = (level, room, sentence, fields) => {
  const time = new Date(systemClock.wall()).toISOString();
  process.stderr.write(`${time} ${logLine(level, room, sentence, fields)}\n`);
};

/** Writes log lines to standard error as JSON objects. */
export const standardErrorJsonLog: LogSink = (level, area, sentence, fields) => {
  const time = new Date(systemClock.wall()).toISOString();
  process.stderr.write(`${logObject(time, level, area, sentence, fields)}\n`);
};

/** Prints a line of a command's output. */
export function print(line: string): void {
  write(`${line}\n`);
}

/** Prints lines on standard error, with control characters escaped. */
export function printError(lines: string): void {
  process.stderr.write(`${escapeHidden(lines, KEPT)}\n`);
}

/**
 * Writes output. On a terminal, escapes control characters except styles, because modules, clients and
 * servers can send them.
 */
export function write(output: string | Uint8Array): void {
  writeRaw(process.stdout.isTTY ? escaped(Buffer.from(output).toString()) : output);
}

function escaped(text: string): string {
  const parts = text.split(STYLE);
  return parts.map((part, index) => (index % 2 === 1 ? part : escapeHidden(part, KEPT))).join('');
}

/**
 * Writes output unchanged. If the reader closes the pipe early, as `head` does, the process ends as SIGPIPE
 * would end it.
 */
export function writeRaw(output: string | Uint8Array): void {
  if (process.stdout.listenerCount('error') === 0) {
    process.stdout.on('error', error => {
      if (systemCode(error) !== 'EPIPE') throw error;
      process.exit(SIGPIPE_EXIT);
    });
  }
  process.stdout.write(output);
}
