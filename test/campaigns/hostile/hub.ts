import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { skerry } from '../../harness/binary.ts';

/** A hub of the built binary. Its log is searched and not stored. */
export type WatchedHub = {
  readonly alive: () => boolean;
  /** Number of open files and bytes of anonymous memory. */
  readonly holds: () => { files: number; memory: number };
  /** Log lines that no input may cause: exceptions, contained or not. */
  readonly exceptions: () => readonly string[];
  readonly stop: () => Promise<void>;
};

/** Maximum number of stored lines. */
const MAX_LINES = 20;

const EXCEPTION = /Unexpected exception in|^\s+at /;

/** Starts a hub and resolves when it listens. */
export function startWatchedHub(manifest: string, data: string): Promise<WatchedHub> {
  const child = spawn(skerry, ['up', manifest, '--data', data], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exceptions: string[] = [];
  const gone = new Promise<void>(done => child.once('exit', () => done()));
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  const hub: WatchedHub = {
    alive,
    holds: () => heldBy(child.pid ?? 0),
    exceptions: () => exceptions,
    stop: () => {
      child.kill('SIGTERM');
      return alive() ? gone : Promise.resolve();
    },
  };
  return new Promise((done, fail) => {
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.includes(' listens on ')) done(hub);
        if (EXCEPTION.test(line) && exceptions.length < MAX_LINES) exceptions.push(line);
      }
    });
    child.once('exit', code => fail(new Error(`The hub ended with ${code}.`)));
  });
}

function heldBy(pid: number): { files: number; memory: number } {
  try {
    const [, kilobytes] = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return { files: readdirSync(`/proc/${pid}/fd`).length, memory: Number(kilobytes) * 1024 };
  } catch {
    // The hub has exited.
    return { files: 0, memory: 0 };
  }
}
