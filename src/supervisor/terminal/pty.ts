import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import type { IPty } from 'node-pty';
import type { Clock } from '../../core/clock.ts';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import type { Exit } from '../process/exit-status.ts';
import { describeExit, signalName } from '../process/exit-status.ts';
import type { Process } from '../process/launch.ts';
import type { Fault } from '../process/start-error.ts';
import type { Screen, TerminalSize } from './shared-terminal.ts';

/** Bytes that are typed and that the process has not read, beyond what the system holds of them. */
const INPUT_BYTES = 1 << 16;

/** Milliseconds after which input that found no room is offered again. */
const INPUT_RETRY = 20;

/** Starts a module on a terminal of its own. node-pty is loaded only now: it is native, and few need it. */
export async function spawnOnTerminal(
  cwd: string,
  exec: readonly string[],
  env: Record<string, string>,
  screen: Screen,
  clock: Clock,
): Promise<Process | Fault> {
  const [program = '', ...parameters] = exec;
  const { columns: cols, rows } = screen.size();
  let pty: IPty;
  try {
    const { spawn } = await import('node-pty');
    pty = spawn(program, parameters, { name: 'xterm-256color', cols, rows, cwd, env, encoding: null });
  } catch (error) {
    // The library tells only in words what the machine refused; what the build left out is a Failure.
    const passing = !(error instanceof Failure);
    return { reason: `No terminal can be made for it (${reasonOf(error)}): run it without "tty".`, passing };
  }
  const stream = outputOf(pty, screen);
  const file = fileOf(pty);
  const input = inputOf(file, clock);
  const resize = ({ columns, rows }: TerminalSize): void => {
    if (file.isOpen()) pty.resize(columns, rows);
  };
  screen.connect({ input, resize });
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
        screen.disconnect(describeExit(exit));
        resolve(exit);
      });
    }),
  };
}

/** What the module prints; while nobody reads it, the module blocks. */
function outputOf(pty: IPty, screen: Screen): Readable {
  const stream = new Readable({ read: () => pty.resume() });
  // Without an encoding node-pty emits bytes, although its types say text.
  pty.onData(data => {
    const bytes = Buffer.from(data);
    screen.print(bytes);
    if (!stream.push(bytes)) pty.pause();
  });
  return stream;
}

/** Not `pty.write`: it holds what is not read without bound, and spins until it is. */
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
 * The file that node-pty has open for a terminal. It closes it long before it tells of the end, and then the number may be
 * that of another module's: its stream knows at once.
 */
function fileOf(pty: IPty): TerminalFile {
  const number = 'fd' in pty && typeof pty.fd === 'number' ? pty.fd : -1;
  const stream = '_socket' in pty ? pty._socket : undefined;
  return { number, isOpen: () => stream instanceof Socket && !stream.destroyed };
}

/** What there was no room for; undefined: all was taken, or nobody is there to read it. */
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

/** node-pty gives the number of the signal, 0 for none. */
function exitOf(code: number, number: number | undefined): Exit {
  if (number === undefined || number === 0) return { kind: 'code', code };
  return { kind: 'signal', signal: signalName(number) };
}
