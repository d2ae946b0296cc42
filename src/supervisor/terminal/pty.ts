import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import type { IPty } from 'node-pty';
import type { Clock } from '../../core/clock.ts';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import type { ExitStatus } from '../process/exit-status.ts';
import { describeExit, signalName } from '../process/exit-status.ts';
import type { LaunchedProcess } from '../process/launch.ts';
import { preferAsOomVictim } from '../process/oom-score.ts';
import type { StartError } from '../process/start-error.ts';
import type { SharedTerminal, TerminalSize } from './shared-terminal.ts';

/** Maximum bytes of typed input buffered beyond the kernel's terminal buffer. */
const INPUT_BYTES = 1 << 16;

/** Milliseconds between attempts to write input to a full terminal. */
const INPUT_RETRY = 20;

/**
 * Spawns a module on a pseudo-terminal. node-pty is loaded on demand because it is native and few modules
 * need it.
 */
export async function spawnOnTerminal(
  cwd: string,
  exec: readonly string[],
  env: Record<string, string>,
  terminal: SharedTerminal,
  clock: Clock,
): Promise<LaunchedProcess | StartError> {
  const [program = '', ...parameters] = exec;
  const { columns: cols, rows } = terminal.size();
  let pty: IPty;
  try {
    const { spawn } = await import('node-pty');
    pty = spawn(program, parameters, { name: 'xterm-256color', cols, rows, cwd, env, encoding: null });
  } catch (error) {
    // System errors come as plain text from node-pty and are transient. A Failure means that the addon is
    // missing from the build.
    const transient = !(error instanceof Failure);
    return {
      reason: `Cannot open a terminal (${reasonOf(error)}): run the module without "tty".`,
      transient,
    };
  }
  preferAsOomVictim(pty.pid);
  const stream = outputOf(pty, terminal);
  const file = fileOf(pty);
  const input = inputOf(file, clock);
  const resize = ({ columns, rows }: TerminalSize): void => {
    if (file.isOpen()) pty.resize(columns, rows);
  };
  terminal.connect({ input, resize });
  return {
    pid: pty.pid,
    input: undefined,
    messages: undefined,
    logged: [{ name: 'tty', stream }],
    exited: new Promise(resolve => {
      pty.onExit(({ exitCode, signal }) => {
        const exit = exitOf(exitCode, signal);
        input.destroy();
        stream.push(null);
        terminal.disconnect(describeExit(exit));
        resolve(exit);
      });
    }),
  };
}

/** Output of the terminal. If it is not read, the module blocks (back-pressure). */
function outputOf(pty: IPty, terminal: SharedTerminal): Readable {
  const stream = new Readable({ read: () => pty.resume() });
  // Without an encoding node-pty emits bytes, although its types declare strings.
  pty.onData(data => {
    const bytes = Buffer.from(data);
    terminal.print(bytes);
    if (!stream.push(bytes)) pty.pause();
  });
  return stream;
}

/** Input of the terminal. `pty.write` is not used because it buffers without limit and busy-waits. */
function inputOf({ number, isOpen }: TerminalFile, clock: Clock): Writable {
  const offer = (bytes: Buffer, done: () => void): void => {
    if (input.destroyed) return;
    const rest = isOpen() ? writeSome(number, bytes) : undefined;
    if (rest === undefined) done();
    else clock.after(INPUT_RETRY, () => offer(rest, done));
  };
  const input = new Writable({
    highWaterMark: INPUT_BYTES,
    write: (chunk: Buffer, _encoding, done) => offer(chunk, done),
  });
  return input;
}

type TerminalFile = { readonly number: number; readonly isOpen: () => boolean };

/**
 * File descriptor of the terminal. node-pty closes it before it reports the exit, and then the number may
 * belong to another module; its stream knows at once.
 */
function fileOf(pty: IPty): TerminalFile {
  const number = 'fd' in pty && typeof pty.fd === 'number' ? pty.fd : -1;
  const stream = '_socket' in pty ? pty._socket : undefined;
  return { number, isOpen: () => stream instanceof Socket && !stream.destroyed };
}

/** Returns the bytes that did not fit. Undefined if all were written or the reader is gone (EIO). */
function writeSome(file: number, bytes: Buffer): Buffer | undefined {
  try {
    const count = writeSync(file, bytes);
    return count === bytes.length ? undefined : bytes.subarray(count);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EAGAIN') return bytes;
    if (code === 'EIO') return undefined;
    throw error;
  }
}

/** Converts node-pty's exit, where signal 0 means none. */
function exitOf(code: number, number: number | undefined): ExitStatus {
  if (number === undefined || number === 0) return { kind: 'code', code };
  return { kind: 'signal', signal: signalName(number) };
}
