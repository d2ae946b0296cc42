import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { skerry } from '../../harness/binary.ts';

/** Bytes of resident and of anonymous memory. */
export type Memory = { readonly resident: number; readonly anonymous: number };

/**
 * A hub of the built binary. Its log lines, one per closed connection, are counted and not stored.
 */
export type WatchedHub = {
  readonly alive: () => boolean;
  readonly memory: () => Memory;
  /** Counts of the reasons why connections were closed, most frequent first. */
  readonly closes: () => [reason: string, times: number][];
  /** Log lines that no input may cause: errors and stack traces. */
  readonly troubles: () => readonly string[];
  /** Resolves to the exit code when the process has exited. */
  readonly gone: Promise<number | null>;
  readonly stop: () => Promise<number | null>;
};

/** Maximum number of stored error lines. */
const MAX_TROUBLES = 100;

const CLOSED =
  /(?:Closed|Refused) a connection: (.*)\.(?: client=.*)?(?: user=.*)?(?: module=.*)? address=\S+$/;
const TROUBLE = /^\s+at |an internal error occurred in the hub|\S+ error \S+:|Error: /;

/** Starts a hub with `folder`/hub.json. Resolves when the hub listens. */
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
      if (troubles.length < MAX_TROUBLES) troubles.push(line);
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

/** Replaces quoted text and numbers of a reason, so that equal kinds are counted together. */
function kindOf(reason: string): string {
  return reason.replaceAll(/".*"/g, '"…"').replaceAll(/\d+/g, 'N');
}

function memoryOf(rollup: string): Memory {
  const of = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1]) * 1024;
  return { resident: of('Rss'), anonymous: of('Anonymous') };
}
