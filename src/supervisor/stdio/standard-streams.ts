import type { ChildProcess } from 'node:child_process';
import { closeSync, fchownSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Account } from '../confinement/users.ts';
import type { Streams } from '../process/spawn.ts';
import { nativeFunction } from '../terminal/native-addon.ts';

/** Hub's ends of a module's standard streams; `input` is undefined if the module has /dev/null there. */
export type StreamEnds = {
  readonly input: Writable | undefined;
  readonly output: Readable;
  readonly error: Readable;
};

/** Standard streams of a program that is about to be started. */
export type StandardStreams = {
  /** Streams that the program gets. */
  readonly inner: Streams;
  /** Called once the program was started: closes what only it needs, and returns the hub's ends. */
  readonly connect: (child: ChildProcess) => StreamEnds;
  /** Called if it was not started. */
  readonly close: () => void;
};

/** Both ends of a pipe, as numbers of open files. */
type Pipe = { readonly read: number; readonly write: number };
type OpenPipe = () => Pipe;

/**
 * Opens the standard streams of a module, with input or without. They are pipes, and not the sockets that Node makes: a program may
 * open /dev/stdin, /dev/stdout and /dev/stderr again, which the kernel refuses for a socket (ENXIO), and bash takes a socket for
 * a remote shell and reads ~/.bashrc. The pipes belong to the module's user, because opening one again asks for its rights.
 * They are sockets if the build had no compiler for the native part. Throws what the system throws.
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
      inner: [input?.read ?? 'ignore', output.write, error.write],
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

/** Opens the hub's end of standard input, and closes it with the process: a pipe does not tell its writer that the reader is gone. */
function writerOf(file: number, child: ChildProcess): Writable {
  const writer = new Socket({ fd: file, readable: false, writable: true });
  child.once('exit', () => writer.destroy());
  return writer;
}

function sockets(hasInput: boolean): StandardStreams {
  return {
    inner: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    connect: ({ stdin, stdout, stderr }) => {
      if (stdout === null || stderr === null) throw new Error('a program was started without its streams');
      return { input: stdin ?? undefined, output: stdout, error: stderr };
    },
    close: () => {},
  };
}

let loading: Promise<OpenPipe | undefined> | undefined;

/** Loads what opens pipes, which Node does not: the build adds it to the native part for terminals. Undefined if there is none. */
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
    if (typeof read !== 'number' || typeof write !== 'number') throw new Error('pipe: no pipe was made');
    return { read, write };
  };
}
