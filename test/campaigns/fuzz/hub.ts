import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { skerry } from '../../harness/binary.ts';

/** Bytes of memory: resident, and of that what no file stands behind. */
export type Memory = { readonly resident: number; readonly anonymous: number };

/**
 * A hub of the built binary whose log is counted and not kept: it has a line for each connection it ended.
 */
export type WatchedHub = {
  readonly alive: () => boolean;
  readonly memory: () => Memory;
  /** Counts of the reasons why connections were closed, most frequent first. */
  readonly closes: () => [reason: string, times: number][];
  /** Lines that no input may bring about: errors, and stack traces. */
  readonly troubles: () => readonly string[];
  /** Resolves to the exit code when the process has ended, of itself or by `stop`. */
  readonly gone: Promise<number | null>;
  readonly stop: () => Promise<number | null>;
};

/** Troubles that are kept word by word. */
const MOST_TROUBLES = 100;

const CLOSED =
  /(?:Closed|Refused) a connection: (.*)\.(?: client=.*)?(?: user=.*)?(?: module=.*)? address=\S+$/;
const TROUBLE = /^\s+at |an internal error occurred in the hub|\S+ error \S+:|Error: /;

/** Starts a hub on `folder`/hub.json, and resolves when it listens. */
export function watchHub(folder: string, onTrouble: () => void): Promise<WatchedHub> {
  const child = spawn(skerry, ['up', join(folder, 'hub.json'), '--data', join(folder, 'data')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const reasons = new Map<string, number>();
  const troubles: string[] = [];
  const gone = new Promise<number | null>(done => child.once('exit', code => done(code)));
  const status = `/proc/${child.pid}/smaps_rollup`;

  const read = (line: string): void => {
    if (TROUBLE.test(line)) {
      onTrouble();
      if (troubles.length < MOST_TROUBLES) troubles.push(line);
    }
    const reason = CLOSED.exec(line)?.[1];
    if (reason === undefined) return;
    const kind = kindOf(reason);
    reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
  };

  const hub: WatchedHub = {
    alive: () => child.exitCode === null && child.signalCode === null && existsSync(status),
    memory: () => memoryOf(readFileSync(status, 'utf8')),
    closes: () => [...reasons].sort(([, one], [, other]) => other - one),
    troubles: () => troubles,
    gone,
    stop: () => {
      child.kill('SIGTERM');
      return gone;
    },
  };
  return new Promise((done, fail) => {
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.includes(' listens on ')) done(hub);
        read(line);
      }
    });
    child.once('exit', code => fail(new Error(`The hub ended with ${code}.`)));
  });
}

/** A reason without what it cites, so that like ones are counted together. */
function kindOf(reason: string): string {
  return reason.replaceAll(/".*"/g, '"…"').replaceAll(/\d+/g, 'N');
}

function memoryOf(rollup: string): Memory {
  const of = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1]) * 1024;
  return { resident: of('Rss'), anonymous: of('Anonymous') };
}
