import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BinaryName, SlotName } from '../../src/self-update/paths.ts';
import { updatePaths } from '../../src/self-update/paths.ts';
import type { UpdateState } from '../../src/self-update/state.ts';
import { readUpdateState } from '../../src/self-update/state.ts';
import { beginTrial } from '../../src/self-update/trial.ts';
import type { SpawnedHub } from '../harness/binary.ts';
import { endAll, folderWith, follow, removeFolder, skerry, until } from '../harness/binary.ts';

export const sources: string = resolve(import.meta.dirname, '../../src');

/** Trial limits that a healthy hub does not reach. */
export const LIMITS = { starts: 3, seconds: 30, grace: 1 };

/** A data folder with scripts as new hubs, which record their starts in the file `recorded`. */
export type UpdateHarness = {
  readonly folder: string;
  readonly data: string;
  readonly paths: ReturnType<typeof updatePaths>;
  /** Writes a script into a slot, by default for /bin/sh. Returns its entry for the state file. */
  readonly writeSlot: (slot: SlotName, script: string) => { sha256: string; size: number; version: string };
  /** Writes a script into a slot and begins its trial. */
  readonly onTrial: (
    script: string,
    limits?: typeof LIMITS,
    slot?: SlotName,
    running?: BinaryName,
  ) => Promise<void>;
  /** Starts the built binary, which executes the hub of the state file. */
  readonly start: (program?: string) => SpawnedHub;
  /** Reads the state file. */
  readonly readState: () => UpdateState;
  /** Lines that the hubs recorded, starting with their pids. */
  readonly recorded: () => string[];
  /** Waits until a number of lines is recorded. */
  readonly untilRecorded: (times: number) => Promise<void>;
  /** Ends all started hubs and removes the folder. */
  readonly close: () => Promise<void>;
};

export function createUpdateHarness(): UpdateHarness {
  const folder = folderWith({
    'manifest.json': '{"name": "updated", "listeners": [{"mqtt": "127.0.0.1:0"}]}',
  });
  const data = join(folder, 'data');
  const paths = updatePaths(data);
  const started: SpawnedHub[] = [];
  mkdirSync(data, { mode: 0o700 });

  const writeSlot: UpdateHarness['writeSlot'] = (slot, script) => {
    const text = script.startsWith('#!') ? script : `#!/bin/sh\n${script}\n`;
    mkdirSync(paths.slotFolder(slot), { recursive: true, mode: 0o700 });
    // A new file, because the previous one may be running.
    writeFileSync(`${paths.binary(slot)}.part`, text);
    chmodSync(`${paths.binary(slot)}.part`, 0o755);
    renameSync(`${paths.binary(slot)}.part`, paths.binary(slot));
    const sha256 = createHash('sha256').update(text).digest('hex');
    return { sha256, size: Buffer.byteLength(text), version: '9.9.9' };
  };

  const start: UpdateHarness['start'] = (program = skerry) => {
    const child = spawn(program, ['up', join(folder, 'manifest.json'), '--data', data], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, RAN: join(folder, 'ran'), DATA: data },
    });
    const one = follow(child);
    started.push(one);
    return one;
  };

  const recorded = (): string[] => {
    const file = join(folder, 'ran');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };

  const readState = (): UpdateState => {
    const { state, damaged } = readUpdateState(paths);
    if (state === undefined) throw new Error(`No update state: ${damaged}`);
    return state;
  };

  return {
    folder,
    data,
    paths,
    writeSlot,
    onTrial: async (script, limits = LIMITS, slot = 'a', running = 'base') => {
      const staged = { slot, ...writeSlot(slot, script) };
      await beginTrial({ dataFolder: data, launched: { running }, program: skerry, staged, limits });
    },
    start,
    readState,
    recorded,
    untilRecorded: times => until(`${times} lines are recorded`, () => recorded().length >= times),
    close: async () => {
      await endAll(started);
      removeFolder(folder);
    },
  };
}

/** Commands that record the pid and the arguments. */
export const RECORD = 'echo "$$ $*" >> "$RAN"';

/** Script of a hub that exits with 3 at once. */
export const FAILING = `${RECORD}; exit 3`;

/** Script of a hub that hangs and ignores SIGTERM. */
export const HANGING = `${RECORD}; trap "" TERM; exec sleep 1000`;

/**
 * Script of a hub that executes `before`, confirms itself like a real hub, and exits with `exitCode` on a
 * signal.
 */
export function healthyHub(exitCode = 0, before = ''): string {
  return `#!${process.execPath}
    const { appendFileSync } = await import('node:fs');
    const { lockFolder } = await import('${sources}/core/files/folder-lock.ts');
    const { readEnvMarkers } = await import('${sources}/self-update/env-markers.ts');
    const { updatePaths } = await import('${sources}/self-update/paths.ts');
    const { monitorWatchdog } = await import('${sources}/self-update/handover.ts');
    const { confirmTrial, failTrial, beginTrial } = await import('${sources}/self-update/trial.ts');
    const { DATA, RAN } = process.env;
    const { slot, watchdog } = readEnvMarkers(process.env, updatePaths(DATA));
    const launched = { running: slot, watchdog };
    const end = signal => { appendFileSync(RAN, process.pid + ' ' + signal + '\\n'); process.exit(${exitCode}); };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, end);
    const after = (milliseconds, action) => { const timer = setTimeout(action, milliseconds); return () => clearTimeout(timer); };
    monitorWatchdog(launched, () => process.ppid, { after }, () => end('orphaned'));
    lockFolder(DATA);
    appendFileSync(RAN, process.pid + ' ' + process.argv.slice(2).join(' ') + '\\n');
    ${before}
    confirmTrial(DATA, launched);
    appendFileSync(RAN, process.pid + ' good\\n');
    setInterval(() => {}, 1000);
  `;
}

/** Command line of a process. Undefined if it has ended. */
export function commandOf(pid: number): string[] | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    return words.length === 0 ? undefined : words;
  } catch {
    return undefined;
  }
}
