import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { folderWith, type RunningHub, removeFolder, run, startHub, until } from '../../harness/binary.ts';
import { processesIn, usageOf } from '../../harness/processes.ts';

/** Module with a child process that prints lines and logs at its start. */
const MODULE = `#!/bin/sh
echo up >&2
sleep 1000 &
while :; do echo '{"n":1}'; sleep 0.5; done
`;

/** Milliseconds between two kills. */
const KILL_EVERY = 10;

/** Milliseconds between two scans of the processes. */
const SCAN_EVERY = 10;

/** Maximum seconds until all modules run. */
const TIMEOUT_SECONDS = 60;

/** Returns a generator of numbers from 0 to 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Creates a folder with a manifest of `modules` modules. */
function folderWithModules(modules: number): string {
  const names = Array.from({ length: modules }, (_, at) => `m${at}`);
  const entry = { exec: ['./module.sh'], io: 'lines', stopGraceSeconds: 5 };
  const manifest = {
    name: 'chaos',
    modules: Object.fromEntries(names.map(name => [name, entry])),
    listeners: [{ mqtt: '127.0.0.1:0' }],
  };
  return folderWith({ 'module.sh': MODULE, 'manifest.json': JSON.stringify(manifest) });
}

export type KilledModules = {
  readonly kills: number;
  /** Module processes that remained after the stop of the hub. */
  readonly left: number;
  /** Open files and memory of the hub with all modules running, before and after the kills. */
  readonly before: ReturnType<typeof usageOf>;
  readonly after: ReturnType<typeof usageOf>;
  /** Exit code of the hub. */
  readonly code: number | null;
};

/** Kills module processes at random for `milliseconds`, restarts all modules, and stops the hub. */
export async function killModules(
  modules: number,
  milliseconds: number,
  seed: number,
): Promise<KilledModules> {
  const random = randomFrom(seed);
  const folder = folderWithModules(modules);
  const hub = await startHub(folder, 'manifest.json', 'data');
  try {
    await until('all modules run', () => leadersIn(folder).size === modules, TIMEOUT_SECONDS);
    await until(
      'all logs are open',
      () => readdirSync(`${folder}/data/logs`).length === modules,
      TIMEOUT_SECONDS,
    );
    const before = usageOf(pidOf(hub));
    let kills = 0;
    for (const end = performance.now() + milliseconds; performance.now() < end; await sleep(KILL_EVERY)) {
      const victims = processesIn(folder);
      const victim = victims[Math.floor(random() * victims.length)];
      if (victim !== undefined && kill(victim.pid)) kills += 1;
    }
    for (const { name } of statusOf(folder)) run(['restart', name, '--data', `${folder}/data`]);
    await until('all modules run again', () => leadersIn(folder).size === modules, TIMEOUT_SECONDS);
    const after = usageOf(pidOf(hub));
    const code = await hub.end('SIGTERM');
    return { kills, left: processesIn(folder).length, before, after, code };
  } finally {
    hub.process.kill('SIGKILL');
    for (const { pid } of processesIn(folder)) kill(pid);
    removeFolder(folder);
  }
}

export type KilledHub = {
  readonly kills: number;
  /** Maximum number of processes that ran one module at the same time. */
  readonly copies: number;
  /** Module processes that remained after the stop of the last hub. */
  readonly left: number;
};

/** Kills and restarts the hub at random moments, and finally stops it. */
export async function killHub(modules: number, kills: number, seed: number): Promise<KilledHub> {
  const random = randomFrom(seed);
  const folder = folderWithModules(modules);
  const watch = watchCopies(folder);
  let hub = await startHub(folder, 'manifest.json', 'data');
  try {
    for (let killed = 0; killed < kills; killed += 1) {
      await sleep(random() * 700);
      await hub.end('SIGKILL');
      hub = await startHub(folder, 'manifest.json', 'data');
    }
    await until('all modules run', () => leadersIn(folder).size === modules, TIMEOUT_SECONDS);
    await hub.end('SIGTERM');
    return { kills, copies: await watch.stop(), left: processesIn(folder).length };
  } finally {
    await watch.stop();
    hub.process.kill('SIGKILL');
    for (const { pid } of processesIn(folder)) kill(pid);
    removeFolder(folder);
  }
}

/** Counts the processes of each module repeatedly. Returns the maximum when it is stopped. */
function watchCopies(folder: string): { readonly stop: () => Promise<number> } {
  let watching = true;
  const most = (async () => {
    let copies = 0;
    for (; watching; await sleep(SCAN_EVERY)) {
      for (const [, leaders] of leadersIn(folder)) copies = Math.max(copies, leaders);
    }
    return copies;
  })();
  return {
    stop: () => {
      watching = false;
      return most;
    },
  };
}

/** Number of process group leaders by module. */
function leadersIn(folder: string): Map<string, number> {
  const leaders = new Map<string, number>();
  for (const { module, leads } of processesIn(folder)) {
    if (leads && module !== '') leaders.set(module, (leaders.get(module) ?? 0) + 1);
  }
  return leaders;
}

function statusOf(folder: string): readonly { readonly name: string }[] {
  const status: { readonly modules: readonly { readonly name: string }[] } = JSON.parse(
    run(['ps', '--json', '--data', `${folder}/data`]).out,
  );
  return status.modules;
}

function pidOf(hub: RunningHub): number {
  return hub.process.pid ?? 0;
}

/** Kills a process. Returns false if the process has already exited. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
