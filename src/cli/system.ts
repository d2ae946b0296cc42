import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { Failure, systemCode } from '../core/errors.ts';
import type { LogSink } from '../core/log.ts';
import { logLine } from '../core/log-line.ts';
import type { Random } from '../core/random.ts';
import { visible } from '../core/visible.ts';

/** Bold, red, green, yellow and their ends: the styles of commands. Nobody can hide or move anything by them. */
const STYLE = new RegExp(`(${String.fromCharCode(0x1b)}\\[(?:1|22|31|32|33|39)m)`);

/** Control characters that a text of several lines may have. */
const KEPT = '\n\t';

/** What a shell says of a program that SIGPIPE ended. */
const SIGPIPE_EXIT = 141;

/** The one place where the program meets the system's time and randomness, and its terminal. */
export const systemClock: Clock = {
  // As exact as `performance`, which is 0.2 MB that nothing else of a hub loads.
  monotonic: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  wall: () => Date.now(),
  after: (milliseconds, action) => {
    if (milliseconds <= 0) {
      // One that is unreferenced would wait for something else to wake the loop.
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

/** Resolves after milliseconds; the process waits for it, as it does not for a timer of the clock. */
export function systemPause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

/** Becomes another program, which keeps the pid and the standard streams; one that cannot be run ends the process. */
export function become(command: readonly string[], env: NodeJS.ProcessEnv): never {
  const [program = ''] = command;
  if (process.execve === undefined) throw new Failure('update.state', `${program} cannot be started here.`);
  return process.execve(program, command, env);
}

/** Log lines on standard error: time by the wall clock, level, room, sentence, fields. */
export const standardErrorLog: LogSink = (level, room, sentence, fields) => {
  const time = new Date(systemClock.wall()).toISOString();
  process.stderr.write(`${time} ${logLine(level, room, sentence, fields)}\n`);
};

/** A line of a command's output. */
export function print(line: string): void {
  write(`${line}\n`);
}

/** Lines on standard error, for a person. */
export function printError(lines: string): void {
  process.stderr.write(`${visible(lines, KEPT)}\n`);
}

/** What modules, clients and servers sent acts on no terminal: on one, control characters but those of styles are escaped. */
export function write(output: string | Uint8Array): void {
  writeRaw(process.stdout.isTTY ? escaped(Buffer.from(output).toString()) : output);
}

function escaped(text: string): string {
  const parts = text.split(STYLE);
  return parts.map((part, index) => (index % 2 === 1 ? part : visible(part, KEPT))).join('');
}

/** Whoever reads the output may go before its end, as `head` does; then the program ends as by SIGPIPE. */
export function writeRaw(output: string | Uint8Array): void {
  if (process.stdout.listenerCount('error') === 0) {
    process.stdout.on('error', error => {
      if (systemCode(error) !== 'EPIPE') throw error;
      process.exit(SIGPIPE_EXIT);
    });
  }
  process.stdout.write(output);
}
