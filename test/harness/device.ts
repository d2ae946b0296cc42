import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../../src/cli/control.ts';
import type { HubStatus } from '../../src/hub/status.ts';
import { folderWith, type RunningHub, removeFolder, skerry, startHub } from './binary.ts';
import { processesIn } from './processes.ts';

/** Exit code and output of a command. */
export type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

/** A device with a hub to which manifests are applied. */
export type TestDevice = {
  readonly folder: string;
  readonly data: string;
  readonly at: (name: string) => string;
  /** Writes a manifest; returns its path. */
  readonly write: (name: string, manifest: object) => string;
  /** Starts the hub; without a manifest, with what was applied last. */
  readonly up: (manifest?: string) => Promise<RunningHub>;
  readonly hub: () => RunningHub;
  /** Ends the hub and starts another on the same data. */
  readonly again: (signal: NodeJS.Signals, manifest?: string) => Promise<RunningHub>;
  /** Writes a manifest and applies it. */
  readonly apply: (manifest: object, ...flags: readonly string[]) => Promise<Ended>;
  /** Runs the binary on this data folder. */
  readonly command: (...args: readonly string[]) => Promise<Ended>;
  readonly status: () => Promise<HubStatus>;
  /** The pid of each module that runs, by its name. */
  readonly pids: () => Promise<Record<string, number | undefined>>;
  /** The command lines of the modules' own processes on this machine, in order. */
  readonly commands: () => string[];
  /** Resolves when what runs is what was healthy last. */
  readonly healthy: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Runs the binary while this process goes on. */
export function runAside(args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(skerry, args, { stdio: 'pipe' });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  child.stdin.end(input);
  return new Promise(done => child.on('close', code => done({ code, out, err })));
}

export function openTestDevice(files: Readonly<Record<string, string>> = {}): TestDevice {
  const folder = folderWith(files);
  const data = join(folder, 'data');
  const at = (name: string): string => join(folder, name);
  let hub: RunningHub | undefined;
  let written = 0;

  const write = (name: string, manifest: object): string => {
    writeFileSync(at(name), JSON.stringify(manifest));
    return at(name);
  };
  const up = async (manifest?: string): Promise<RunningHub> => {
    hub = await startHub(folder, manifest, 'data');
    return hub;
  };
  const running = (): RunningHub => {
    if (hub === undefined) throw new Error('No hub runs.');
    return hub;
  };
  const command = (...args: readonly string[]): Promise<Ended> => runAside([...args, '--data', data]);
  const status = (): Promise<HubStatus> => ask(data, 'status');

  return {
    folder,
    data,
    at,
    write,
    up,
    hub: running,
    again: async (signal, manifest) => {
      await running().end(signal);
      return up(manifest);
    },
    apply: (manifest, ...flags) => {
      written += 1;
      return command('apply', write(`applied-${written}.json`, manifest), ...flags);
    },
    command,
    status,
    pids: async () => Object.fromEntries((await status()).modules.map(({ name, pid }) => [name, pid])),
    commands: () =>
      processesIn(folder)
        // One that is just being spawned has no name yet, and one that goes has none any more.
        .filter(({ leads, module }) => leads && module !== '')
        .map(({ pid, module }) => `${module}: ${commandOf(pid)}`)
        // Health checks come and go, and so does the shell that puts one into its control group.
        .filter(command => !/: (test|true|false)\b|\/skerry\.check\//.test(command))
        .sort(),
    healthy: async () => {
      for (const end = performance.now() + 20_000; performance.now() < end; ) {
        const { attempt, current, healthy } = (await status()).deployment;
        if (attempt === undefined && healthy !== undefined && current?.id === healthy.id) return;
        await new Promise(done => setTimeout(done, 20));
      }
      throw new Error(`It never became healthy: ${running().log()}`);
    },
    close: async () => {
      // Some modules would not go for an hour.
      await hub?.end('SIGKILL');
      for (const { pid } of processesIn(folder)) process.kill(pid, 'SIGKILL');
      removeFolder(folder);
    },
  };
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ').trim();
  } catch {
    return 'gone';
  }
}

/** A module that only waits; its seconds tell versions apart. */
export function waiting(seconds: number, more: object = {}): object {
  return { exec: ['sleep', String(seconds)], io: 'lines', ...more };
}

/** A manifest that is healthy after a moment, or given up after another. */
export function soon(manifest: object, within = '10s'): object {
  return { name: 'edge', listeners: [], deployment: { healthyFor: '200ms', within }, ...manifest };
}
