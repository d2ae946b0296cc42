import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { VERSION } from '../../../src/core/version.ts';
import type { SpawnedHub } from '../../harness/binary.ts';
import { endAll, folderWith, follow, freePort, removeFolder, skerry } from '../../harness/binary.ts';

/** Exit code and output of a command. */
export type CommandResult = { readonly code: number | null; readonly out: string; readonly err: string };

/** Fields of `ps --json` about a self-update. */
export type DeviceStatus = {
  readonly pid: number;
  readonly hub: { readonly version: string; readonly binary: string; readonly onTrial: boolean };
  readonly deployment: { readonly attempt?: object; readonly outcome?: { readonly result: string } };
  readonly modules: readonly { readonly name: string; readonly state: string; readonly pid?: number }[];
  readonly queues: readonly { readonly queue: string; readonly depth: number }[];
};

/** A device whose hub can be updated: a folder with manifests and hub binaries, and a data folder. */
export type UpdatableDevice = {
  readonly folder: string;
  readonly data: string;
  readonly url: string;
  /**
   * Starts the hub with the manifest `old`, or without one if `bare`. The shell runs the commands `shell`
   * before it executes the hub. Resolves when the hub listens.
   */
  readonly start: (how?: { readonly shell?: string; readonly bare?: boolean }) => Promise<SpawnedHub>;
  /** Writes a manifest whose only module is named `word`. Returns its path. */
  readonly manifest: (word: string, more?: object) => string;
  readonly command: (...args: readonly string[]) => Promise<CommandResult>;
  readonly status: () => Promise<DeviceStatus>;
  /** Writes a hub binary. Returns its entry for the manifest. */
  readonly hub: (name: string, bytes: Buffer) => { readonly sha256: string; readonly from: string };
  readonly close: () => Promise<void>;
};

/** Runs the binary without blocking the event loop. */
function command(args: readonly string[]): Promise<CommandResult> {
  const child = spawn(skerry, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  return new Promise(done => child.once('close', code => done({ code, out, err })));
}

export async function createUpdatableDevice(): Promise<UpdatableDevice> {
  const folder = folderWith({
    'work.sh': '#!/bin/sh\nexec sleep 1000\n',
    'crash.sh': '#!/bin/sh\nexit 7\n',
    'stays.sh': '#!/bin/sh\ntrap "" TERM\nexec sleep 1000\n',
  });
  const data = join(folder, 'data');
  const [port, parent] = [await freePort(), await freePort()];
  const started: SpawnedHub[] = [];

  const manifest: UpdatableDevice['manifest'] = (word, more = {}) => {
    const file = join(folder, `${word}.json`);
    const text = JSON.stringify({
      name: 'gate',
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
      upstream: { url: `mqtt://127.0.0.1:${parent}` },
      routes: { all: 'FROM topic("load/#") INTO $upstream' },
      deployment: { healthyFor: '500ms', within: '20s' },
      // A pack is unpacked into another folder, so paths are absolute.
      modules: { [word]: { exec: [join(folder, 'work.sh')] } },
      ...more,
    });
    writeFileSync(file, text);
    return file;
  };

  const start: UpdatableDevice['start'] = async ({ shell = '', bare = false } = {}) => {
    const args = [skerry, 'up', ...(bare ? [] : [manifest('old')]), '--data', data];
    const child = spawn('/bin/sh', ['-c', `${shell} exec "$@"`, 'sh', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const one = follow(child);
    started.push(one);
    await one.listens();
    return one;
  };

  return {
    folder,
    data,
    url: `mqtt://127.0.0.1:${port}`,
    start,
    manifest,
    command: (...args) => command([...args, '--data', data]),
    status: async () => JSON.parse((await command(['ps', '--json', '--data', data])).out),
    hub: (name, bytes) => {
      writeFileSync(join(folder, name), bytes);
      return { sha256: createHash('sha256').update(bytes).digest('hex'), from: name };
    },
    close: async () => {
      await endAll(started);
      removeFolder(folder);
    },
  };
}

/** Asserts one error sentence and an exit code. */
export function assertRefused({ code, err }: CommandResult, wanted: number, sentence: RegExp): void {
  assert.match(err, sentence, err);
  assert.is(code, wanted);
  assert.is(err.trimEnd().split('\n').length, 1);
}

/** Pids of the hubs that run on a data folder, without watchdogs. */
export function hubsOn(data: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words[1] === 'up' && words.includes(data) ? [Number(pid)] : [];
      } catch {
        return [];
      }
    });
}

const ownHub = readFileSync(skerry);

/** Returns the built hub, or the hub `built`, with another last digit of its version. */
export function hubWithVersion(digit: number, built: Buffer = ownHub): Buffer {
  const [from, to] = [Buffer.from(VERSION), Buffer.from(`${VERSION.slice(0, -1)}${digit}`)];
  const bytes = Buffer.from(built);
  let at = built.indexOf(from);
  if (at < 0) throw new Error(`Not in the binary: "${VERSION}"`);
  // The version occurs in the hub, in the other commands and in the code cache.
  for (; at >= 0; at = built.indexOf(from, at + 1)) to.copy(bytes, at);
  return bytes;
}

const REPORT_VERSION = 'puts("skerry 9.9.9 (any)"); return 0;';

/**
 * Compiles a program that answers `version` with the statements `version` and executes the statements `up`
 * instead of running a hub. Undefined if gcc is not installed.
 */
export function compileFakeHub(
  folder: string,
  name: string,
  up: string,
  version = REPORT_VERSION,
): Buffer | undefined {
  const output = join(folder, name);
  const source = `
    #include <signal.h>
    #include <stdio.h>
    #include <string.h>
    #include <unistd.h>
    int main(int count, char **words) {
      if (count > 1 && strcmp(words[1], "version") == 0) { ${version} }
      ${up}
    }`;
  const { status, error, stderr } = spawnSync('gcc', ['-x', 'c', '-o', output, '-'], {
    input: source,
    encoding: 'utf8',
  });
  if (error !== undefined) return undefined;
  if (status !== 0) throw new Error(stderr);
  chmodSync(output, 0o755);
  return readFileSync(output);
}

/** Statements that exit at once. */
export const EXITS = 'return 3;';

/** Statements that wait for ever and ignore SIGTERM. */
export const HANGS = 'signal(SIGTERM, SIG_IGN); for (;;) pause();';
