import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const skerry: string = resolve(import.meta.dirname, '../../dist/skerry');

/** Creates a folder with files, given as text by name. Files that end in `.sh` are executable. */
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

/** Ports below the ephemeral range of clients (ip_local_port_range begins at 32,768). */
const PORTS = { first: 12_000, count: 20_000 };

/**
 * Returns a port without a listener. A hub that must keep its port over a restart cannot use port 0. The port
 * is not ephemeral, so no client of another test gets it meanwhile.
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

/** A running hub of the built binary. */
export type RunningHub = {
  readonly process: ChildProcess;
  /** Log so far. */
  readonly log: () => string;
  /** Sends a signal and resolves to the exit code when the process has exited. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>;
};

/**
 * Starts a hub that inherits the descriptors `files`, with a manifest or with the manifest that was applied
 * last. Resolves when the hub listens. Rejects with its log if it exits before.
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

/** A spawned hub, which may not listen yet. After a self-update the same process or a child is the hub. */
export type SpawnedHub = {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Log so far. */
  readonly log: () => string;
  /** Resolves to the exit code or the signal when the process has exited. */
  readonly gone: Promise<number | string | null>;
  readonly end: (signal?: NodeJS.Signals) => Promise<number | string | null>;
  /** Resolves when the hub listens. Rejects with its log if it exits or needs more than 60 s. */
  readonly listens: () => Promise<void>;
};

/** Collects the log of a hub that was spawned with a pipe as its standard error. */
export function follow(child: ChildProcess): SpawnedHub {
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

/** Ends all hubs that still run. */
export async function endAll(started: readonly SpawnedHub[]): Promise<void> {
  for (const { process: child, end } of started)
    if (child.exitCode === null && child.signalCode === null) await end();
}

/** Runs the binary and waits for its exit. */
export function run(args: readonly string[], input = ''): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(skerry, args, { input, encoding: 'utf8', timeout: 30_000 });
  return { code: status, out: stdout, err: stderr };
}

/** Resolves when `check` returns true. Rejects with `what` if that takes longer than `seconds`. */
export async function until(what: string, check: () => boolean, seconds = 20): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!check()) {
    if (performance.now() > end) throw new Error(`Timed out waiting until ${what}.`);
    await new Promise(done => setTimeout(done, 20));
  }
}
