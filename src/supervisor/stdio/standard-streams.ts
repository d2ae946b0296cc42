import type { ChildProcess } from 'node:child_process';
import { closeSync, fchownSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Account } from '../confinement/users.ts';
import type { Stdio } from '../process/spawn.ts';
import { nativeFunction } from '../terminal/native-addon.ts';

/**
 * Hub's ends of a module's standard streams. `input` is undefined if the module's standard input is
 * /dev/null.
 */
export type ParentStreams = {
  readonly input: Writable | undefined;
  readonly output: Readable;
  readonly error: Readable;
};

/** Standard streams of a process that will be spawned. */
export type StandardStreams = {
  /** Value of the option `stdio` of `spawn`. */
  readonly childStdio: Stdio;
  /** Closes the child's ends of the streams, and returns the hub's ends. Must be called after the spawn. */
  readonly connect: (child: ChildProcess) => ParentStreams;
  /** Closes both ends of all streams. Must be called if the spawn has failed. */
  readonly close: () => void;
};

/** File descriptors of both ends of a pipe. */
type Pipe = { readonly read: number; readonly write: number };
type OpenPipe = () => Pipe;

/**
 * Opens the standard streams of a module. If `hasInput` is false, the standard input is /dev/null. The
 * streams are pipes. With Node's sockets, a program could not reopen /dev/stdin, /dev/stdout or /dev/stderr
 * (ENXIO), and bash would assume a remote shell and read ~/.bashrc. The pipes belong to the module's user,
 * because the kernel checks permissions when a program reopens a pipe. Uses sockets if the native addon was
 * not built. Throws system errors.
 */
export async function openStreams(hasInput: boolean, account: Account | undefined): Promise<StandardStreams> {
  const openPipe = await loadOpenPipe();
  return openPipe === undefined ? sockets(hasInput) : pipes(hasInput, account, openPipe);
}

function pipes(hasInput: boolean, account: Account | undefined, openPipe: OpenPipe): StandardStreams {
  const open: number[] = [];
  const closeAll = (files: readonly number[]): void => {
    for (const file of files) closeSync(file);
  };
  const openOne = (): Pipe => {
    const pipe = openPipe();
    open.push(pipe.read, pipe.write);
    if (account !== undefined) fchownSync(pipe.read, account.uid, account.gid);
    return pipe;
  };
  try {
    const input = hasInput ? openOne() : undefined;
    const [output, error] = [openOne(), openOne()];
    return {
      childStdio: [input?.read ?? 'ignore', output.write, error.write],
      connect: child => {
        closeAll([output.write, error.write, ...(input === undefined ? [] : [input.read])]);
        return {
          input: input && writerOf(input.write, child),
          output: new Socket({ fd: output.read, readable: true, writable: false }),
          error: new Socket({ fd: error.read, readable: true, writable: false }),
        };
      },
      close: () => closeAll(open),
    };
  } catch (error) {
    closeAll(open);
    throw error;
  }
}

/**
 * Opens the hub's end of standard input, and closes it when the process exits. The hub must watch the exit,
 * because the writer of a pipe is not notified when the reader closes its end.
 */
function writerOf(file: number, child: ChildProcess): Writable {
  const writer = new Socket({ fd: file, readable: false, writable: true });
  child.once('exit', () => writer.destroy());
  return writer;
}

function sockets(hasInput: boolean): StandardStreams {
  return {
    childStdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    connect: ({ stdin, stdout, stderr }) => {
      if (stdout === null || stderr === null) throw new Error('a program was started without its streams');
      return { input: stdin ?? undefined, output: stdout, error: stderr };
    },
    close: () => {},
  };
}

let loading: Promise<OpenPipe | undefined> | undefined;

/**
 * Loads the function pipe(2) from the native addon, because Node offers no such function. Undefined if the
 * addon was not built.
 */
function loadOpenPipe(): Promise<OpenPipe | undefined> {
  loading ??= load();
  return loading;
}

async function load(): Promise<OpenPipe | undefined> {
  const pipe = await nativeFunction('pipe');
  if (pipe === undefined) return undefined;
  return () => {
    const ends = pipe();
    const [read, write]: unknown[] = Array.isArray(ends) ? ends : [];
    if (typeof read !== 'number' || typeof write !== 'number')
      throw new Error('pipe: no file descriptor was returned');
    return { read, write };
  };
}
