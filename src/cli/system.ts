import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { Failure, systemCode } from '../core/errors.ts';
import type { LogSink } from '../core/log.ts';
import { logLine, logObject } from '../core/logging/line.ts';
import type { Random } from '../core/random.ts';
import { escapeHidden } from '../core/text/escape.ts';

/**
 * Matches the escape sequences of the styles that commands print (bold, red, green, yellow). Such sequences
 * cannot hide text or move the cursor.
 */
const STYLE = new RegExp(`(${String.fromCharCode(0x1b)}\\[(?:1|22|31|32|33|39)m)`);

/** Control characters that are not escaped in a text of several lines. */
const UNESCAPED = '\n\t';

/** Exit code that a shell reports for a process that was ended by SIGPIPE. */
const SIGPIPE_EXIT = 141;

/** Clock of the system. Only this file uses the system's time, randomness and terminal. */
export const systemClock: Clock = {
  // Uses `hrtime`, because `performance` needs 0.2 MB of memory and is not more precise.
  monotonic: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  wall: () => Date.now(),
  after: (milliseconds, action) => {
    if (milliseconds <= 0) {
      // The immediate stays referenced. After `unref` an immediate would run only when another event occurs.
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

/**
 * Resolves after the given milliseconds. Keeps the process alive until then, unlike a timer of `systemClock`.
 */
export function systemPause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

/**
 * Replaces this process by another program with execve. The pid and the standard streams stay the same. If
 * the program cannot be executed, the process exits.
 */
export function become(command: readonly string[], env: NodeJS.ProcessEnv): never {
  const [program = ''] = command;
  if (process.execve === undefined) throw new Failure('update.state', `${program} cannot be started here.`);
  return process.execve(program, command, env);
}

/** Writes log lines to standard error: wall time, level, area, sentence and fields. */
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
  process.stderr.write(`${escapeHidden(lines, UNESCAPED)}\n`);
}

/**
 * Writes output. On a terminal, escapes control characters except styles, because the output can contain data
 * of modules, clients and servers.
 */
export function write(output: string | Uint8Array): void {
  writeRaw(process.stdout.isTTY ? escaped(Buffer.from(output).toString()) : output);
}

function escaped(text: string): string {
  const parts = text.split(STYLE);
  return parts.map((part, index) => (index % 2 === 1 ? part : escapeHidden(part, UNESCAPED))).join('');
}

/**
 * Writes output unchanged. If the reader closes the pipe, as `head` does, the process exits with the code of
 * SIGPIPE.
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
