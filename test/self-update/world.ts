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

/** Enough for what is well; tests of what hangs take less. */
export const LIMITS = { starts: 3, seconds: 30, grace: 1 };

/** A data folder, and hubs that stand in for new ones. */
export type World = {
  readonly folder: string;
  readonly data: string;
  readonly places: ReturnType<typeof updatePaths>;
  /**
   * Puts a program into a slot: a shell's script, unless it says what runs it. Returns what is noted of it.
   */
  readonly put: (slot: SlotName, script: string) => { sha256: string; size: number; version: string };
  /** Puts a program into a slot and has it on trial. */
  readonly onTrial: (
    script: string,
    limits?: typeof LIMITS,
    slot?: SlotName,
    running?: BinaryName,
  ) => Promise<void>;
  /** Starts the hub: the built binary, which becomes whatever is noted. */
  readonly start: (program?: string) => SpawnedHub;
  readonly noted: () => UpdateState;
  /** Lines that the stand-ins left in the file `ran`. */
  readonly ran: () => string[];
  readonly ranOften: (times: number) => Promise<void>;
  /** Ends all that was started, and removes the folder. */
  readonly close: () => Promise<void>;
};

export function createWorld(): World {
  const folder = folderWith({
    'manifest.json': '{"name": "updated", "listeners": [{"mqtt": "127.0.0.1:0"}]}',
  });
  const data = join(folder, 'data');
  const places = updatePaths(data);
  const started: SpawnedHub[] = [];
  mkdirSync(data, { mode: 0o700 });

  const put: World['put'] = (slot, script) => {
    const text = script.startsWith('#!') ? script : `#!/bin/sh\n${script}\n`;
    mkdirSync(places.slotFolder(slot), { recursive: true, mode: 0o700 });
    // As a new file: an old one may be running.
    writeFileSync(`${places.binary(slot)}.part`, text);
    chmodSync(`${places.binary(slot)}.part`, 0o755);
    renameSync(`${places.binary(slot)}.part`, places.binary(slot));
    const sha256 = createHash('sha256').update(text).digest('hex');
    return { sha256, size: Buffer.byteLength(text), version: '9.9.9' };
  };

  const start: World['start'] = (program = skerry) => {
    const child = spawn(program, ['up', join(folder, 'manifest.json'), '--data', data], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, RAN: join(folder, 'ran'), DATA: data },
    });
    const one = follow(child);
    started.push(one);
    return one;
  };

  const ran = (): string[] => {
    const file = join(folder, 'ran');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };

  const noted = (): UpdateState => {
    const { state, damaged } = readUpdateState(places);
    if (state === undefined) throw new Error(`Nothing is noted: ${damaged}`);
    return state;
  };

  return {
    folder,
    data,
    places,
    put,
    onTrial: async (script, limits = LIMITS, slot = 'a', running = 'base') => {
      const staged = { slot, ...put(slot, script) };
      await beginTrial({ dataFolder: data, launched: { running }, program: skerry, staged, limits });
    },
    start,
    noted,
    ran,
    ranOften: times => until(`it ran ${times} times`, () => ran().length >= times),
    close: async () => {
      await endAll(started);
      removeFolder(folder);
    },
  };
}

/** Notes its pid and its arguments. */
export const SAY = 'echo "$$ $*" >> "$RAN"';

/** Ends at once. */
export const BROKEN = `${SAY}; exit 3`;

/** Does nothing, and does not go when it is asked to. */
export const HANGING = `${SAY}; trap "" TERM; exec sleep 1000`;

/**
 * Confirms itself as a hub does, and ends when it is told to, with an exit code of its own. It may be told to
 * do something else before.
 */
export function good(exitCode = 0, before = ''): string {
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
