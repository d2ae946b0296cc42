import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const skerry: string = resolve(import.meta.dirname, '../../dist/skerry');

/** A folder for one test, with files in it: text by name; names that end in `.sh` can be run. */
export function folderWith(files: Readonly<Record<string, string>>, beneath: string = tmpdir()): string {
  const folder = mkdtempSync(join(beneath, 'skerry-e2e-'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    if (name.endsWith('.sh')) chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Ports below those that the system gives to clients (ip_local_port_range begins at 32,768). */
const PORTS = { first: 12_000, count: 20_000 };

/**
 * A port that nobody listens on: what must keep its port over a restart cannot ask for port 0. No client of
 * another test is given it while nobody listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count);
    if (await isFree(port)) return port;
  }
}

/** True if nothing listens on the port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise(done => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

/** A hub of the built binary. */
export type RunningHub = {
  readonly process: ChildProcess;
  /** Log so far. */
  readonly log: () => string;
  /** Sends a signal and resolves to the exit code when the process is gone. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>;
};

/**
 * Starts a hub, with further files that it inherits, and resolves when it listens; rejects with its log if it
 * ends before. Without a manifest: what was applied last.
 */
export function startHub(
  folder: string,
  manifest: string | undefined,
  data: string,
  files: readonly ('ignore' | number)[] = [],
): Promise<RunningHub> {
  const given = manifest === undefined ? [] : [join(folder, manifest)];
  const child = spawn(skerry, ['up', ...given, '--data', resolve(folder, data)], {
    stdio: ['ignore', 'ignore', 'pipe', ...files],
  });
  let text = '';
  const gone = new Promise<number | null>(done => child.once('exit', code => done(code)));
  return new Promise((done, fail) => {
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes(' listens on ')) return;
      done({
        process: child,
        log: () => text,
        end: signal => {
          child.kill(signal);
          return gone;
        },
      });
    });
    child.once('exit', code => fail(new Error(`The hub ended with ${code}: ${text}`)));
  });
}

/** A hub that may be updated: updates of it follow as the same process, or below it. */
export type Started = {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Log so far. */
  readonly log: () => string;
  /** Resolves to the exit code, or the signal, when it is gone. */
  readonly gone: Promise<number | string | null>;
  readonly end: (signal?: NodeJS.Signals) => Promise<number | string | null>;
  /** Resolves when it is up as a hub, or, with its log, rejects. */
  readonly listens: () => Promise<void>;
};

/** Follows a hub that was spawned with a pipe for what it logs. */
export function follow(child: ChildProcess): Started {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const gone = new Promise<number | string | null>(done =>
    child.once('exit', (code, signal) => done(code ?? signal)),
  );
  return {
    process: child,
    pid: child.pid ?? 0,
    log: () => text,
    gone,
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return gone;
    },
    listens: async () => {
      for (const end = performance.now() + 60_000; !text.includes(' listens on '); ) {
        const over = child.exitCode !== null || child.signalCode !== null || performance.now() > end;
        if (over) throw new Error(`The hub does not listen: ${text}`);
        await new Promise(done => setTimeout(done, 20));
      }
    },
  };
}

/** Ends those that still run. */
export async function endAll(started: readonly Started[]): Promise<void> {
  for (const { process: child, end } of started)
    if (child.exitCode === null && child.signalCode === null) await end();
}

/** Runs the binary to its end. */
export function run(args: readonly string[], input = ''): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(skerry, args, { input, encoding: 'utf8', timeout: 30_000 });
  return { code: status, out: stdout, err: stderr };
}

/** Resolves when `check` is true; rejects, with `what`, when it has not come true in `seconds`. */
export async function until(what: string, check: () => boolean, seconds = 20): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!check()) {
    if (performance.now() > end) throw new Error(`It never came true that ${what}.`);
    await new Promise(done => setTimeout(done, 20));
  }
}
