import { Readable } from 'node:stream';
import type { IPty } from 'node-pty';
import { reasonOf } from '../core/errors.ts';
import type { Exit } from './exit.ts';
import { signalName } from './exit.ts';
import type { Fault } from './fault.ts';
import type { Process } from './process.ts';

const COLUMNS = 80;
const ROWS = 24;

/** Starts a module on a terminal of its own. node-pty is loaded only now: it is native, and few need it. */
export async function spawnOnTerminal(
  cwd: string,
  exec: readonly string[],
  env: Record<string, string>,
): Promise<Process | Fault> {
  const [program = '', ...parameters] = exec;
  try {
    const { spawn } = await import('node-pty');
    const options = { name: 'xterm-256color', cols: COLUMNS, rows: ROWS, cwd, env, encoding: null };
    const pty = spawn(program, parameters, options);
    const stream = outputOf(pty);
    return {
      pid: pty.pid,
      input: undefined,
      messages: undefined,
      logged: [{ name: 'tty', stream }],
      exited: new Promise(resolve => {
        pty.onExit(({ exitCode, signal }) => {
          stream.push(null);
          resolve(exitOf(exitCode, signal));
        });
      }),
    };
  } catch (error) {
    const reason = `No terminal can be made for it (${reasonOf(error)}): run it without "tty".`;
    return { reason, passing: false };
  }
}

/** What the module prints; while nobody reads it, the module blocks. */
function outputOf(pty: IPty): Readable {
  const stream = new Readable({ read: () => pty.resume() });
  // Without an encoding node-pty emits bytes, although its types say text.
  pty.onData(data => {
    if (!stream.push(Buffer.from(data))) pty.pause();
  });
  return stream;
}

/** node-pty gives the number of the signal, 0 for none. */
function exitOf(code: number, number: number | undefined): Exit {
  if (number === undefined || number === 0) return { kind: 'code', code };
  return { kind: 'signal', signal: signalName(number) };
}
