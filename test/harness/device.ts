import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../../src/cli/control.ts';
import type { HubStatus } from '../../src/hub/status.ts';
import { folderWith, type RunningHub, removeFolder, skerry, startHub } from './binary.ts';
import { processesIn } from './processes.ts';

/** Exit code and output of a command. */
export type CommandResult = { readonly code: number | null; readonly out: string; readonly err: string };

/** A device: a folder with manifests, a data folder and at most one hub. */
export type TestDevice = {
  readonly folder: string;
  readonly data: string;
  /** Path of a file in the folder. */
  readonly at: (name: string) => string;
  /** Writes a manifest; returns its path. */
  readonly write: (name: string, manifest: object) => string;
  /** Starts the hub with a manifest or, by default, with the manifest that was applied last. */
  readonly up: (manifest?: string) => Promise<RunningHub>;
  readonly hub: () => RunningHub;
  /** Ends the hub and starts another on the same data folder. */
  readonly restart: (signal: NodeJS.Signals, manifest?: string) => Promise<RunningHub>;
  /** Writes a manifest and applies it. */
  readonly apply: (manifest: object, ...flags: readonly string[]) => Promise<CommandResult>;
  /** Runs a command of the binary on this data folder. */
  readonly command: (...args: readonly string[]) => Promise<CommandResult>;
  readonly status: () => Promise<HubStatus>;
  /** Pids of the running modules by name. */
  readonly pids: () => Promise<Record<string, number | undefined>>;
  /** Command lines of the modules' main processes, sorted. */
  readonly commands: () => string[];
  /** Resolves when the current deployment is healthy. */
  readonly healthy: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Runs the binary without blocking the event loop. */
export function runAsync(args: readonly string[], input = ''): Promise<CommandResult> {
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
  const command = (...args: readonly string[]): Promise<CommandResult> => runAsync([...args, '--data', data]);
  const status = (): Promise<HubStatus> => ask(data, 'status');

  return {
    folder,
    data,
    at,
    write,
    up,
    hub: running,
    restart: async (signal, manifest) => {
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
        // A process that is just being spawned or that is exiting has no module name.
        .filter(({ leads, module }) => leads && module !== '')
        .flatMap(({ pid, module }) => {
          const command = commandOf(pid);
          return command === '' ? [] : [`${module}: ${command}`];
        })
        // Health checks and the shells that move them into control groups are short-lived.
        .filter(command => !/: (test|true|false)\b|\/skerry\.check\//.test(command))
        .sort(),
    healthy: async () => {
      for (const end = performance.now() + 20_000; performance.now() < end; ) {
        const { attempt, current, healthy } = (await status()).deployment;
        if (attempt === undefined && healthy !== undefined && current?.id === healthy.id) return;
        await new Promise(done => setTimeout(done, 20));
      }
      throw new Error(`The deployment did not become healthy: ${running().log()}`);
    },
    close: async () => {
      // Some modules have a stop grace of an hour.
      await hub?.end('SIGKILL');
      for (const { pid } of processesIn(folder)) process.kill(pid, 'SIGKILL');
      removeFolder(folder);
    },
  };
}

/** Command line of a process. Empty if the process has exited since it was found. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ').trim();
  } catch {
    return '';
  }
}

/** A module that runs `sleep`; its seconds distinguish versions. */
export function sleeper(seconds: number, more: object = {}): object {
  return { exec: ['sleep', String(seconds)], io: 'lines', ...more };
}

/** A manifest with a health window of 200 ms, which is rolled back if it is not healthy `within` a time. */
export function quickManifest(manifest: object, within = '10s'): object {
  return { name: 'edge', listeners: [], deployment: { healthyFor: '200ms', within }, ...manifest };
}
