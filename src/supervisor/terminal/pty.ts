import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import type { IPty } from 'node-pty';
import type { Clock } from '../../core/clock.ts';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import type { ExitStatus } from '../process/exit-status.ts';
import { describeExit, signalName } from '../process/exit-status.ts';
import type { LaunchedProcess } from '../process/launched-process.ts';
import { preferAsOomVictim } from '../process/oom-score.ts';
import type { StartError } from '../process/start-error.ts';
import type { SharedTerminal, TerminalSize } from './shared-terminal.ts';

/** Maximum bytes of typed input that the hub buffers while the kernel's terminal buffer is full. */
const MAX_INPUT_BYTES = 1 << 16;

/** Milliseconds between attempts to write input to a full terminal. */
const INPUT_RETRY_MS = 20;

/** Spawns a module on a pseudo-terminal. Loads node-pty on demand, because few modules have a terminal. */
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
    // An error of the class Failure means that this build has no native addon. Any other error is a system
    // error without an error code, and counts as transient.
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

/** Returns the output of the terminal. While the output is not read, the module blocks (back-pressure). */
function outputOf(pty: IPty, terminal: SharedTerminal): Readable {
  const stream = new Readable({ read: () => pty.resume() });
  // With `encoding: null`, node-pty emits bytes, although its types declare strings.
  pty.onData(data => {
    const bytes = Buffer.from(data);
    terminal.print(bytes);
    if (!stream.push(bytes)) pty.pause();
  });
  return stream;
}

/**
 * Returns a stream for the input of the terminal. The stream does not use `pty.write`, because `pty.write`
 * buffers without limit and busy-waits.
 */
function inputOf({ descriptor, isOpen }: TerminalFile, clock: Clock): Writable {
  const writeWithRetry = (bytes: Buffer, done: () => void): void => {
    if (input.destroyed) return;
    const rest = isOpen() ? writeSome(descriptor, bytes) : undefined;
    if (rest === undefined) done();
    else clock.after(INPUT_RETRY_MS, () => writeWithRetry(rest, done));
  };
  const input = new Writable({
    highWaterMark: MAX_INPUT_BYTES,
    write: (chunk: Buffer, _encoding, done) => writeWithRetry(chunk, done),
  });
  return input;
}

type TerminalFile = { readonly descriptor: number; readonly isOpen: () => boolean };

/**
 * Returns the file descriptor of the terminal. node-pty closes the descriptor before it reports the exit. A
 * file of another module can then have the same descriptor number. `isOpen` therefore asks node-pty's stream
 * whether the descriptor is open.
 */
function fileOf(pty: IPty): TerminalFile {
  const descriptor = 'fd' in pty && typeof pty.fd === 'number' ? pty.fd : -1;
  const stream = '_socket' in pty ? pty._socket : undefined;
  return { descriptor, isOpen: () => stream instanceof Socket && !stream.destroyed };
}

/**
 * Writes bytes to a terminal. Returns the bytes that were not written. Undefined if all bytes were written,
 * or if the terminal is closed (EIO).
 */
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

/** Returns the exit status for node-pty's exit event. Signal 0 means that no signal ended the process. */
function exitOf(code: number, signal: number | undefined): ExitStatus {
  if (signal === undefined || signal === 0) return { kind: 'code', code };
  return { kind: 'signal', signal: signalName(signal) };
}
