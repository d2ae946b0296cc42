import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Started } from '../../harness/binary.ts';
import { endAll, folderWith, follow, freePort, removeFolder, skerry } from '../../harness/binary.ts';

/** Output and exit code of a command. */
export type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

/** Fields of `ps --json` about a self-update. */
export type Seen = {
  readonly pid: number;
  readonly hub: { readonly version: string; readonly binary: string; readonly onTrial: boolean };
  readonly deployment: { readonly attempt?: object; readonly outcome?: { readonly result: string } };
  readonly modules: readonly { readonly name: string; readonly state: string; readonly pid?: number }[];
  readonly queues: readonly { readonly queue: string; readonly depth: number }[];
};

/** A device: a folder with manifests and new hubs, and a data folder. */
export type Site = {
  readonly folder: string;
  readonly data: string;
  readonly url: string;
  /**
   * Starts the hub with the manifest `old`, unless it is `bare`, and by way of `shell` if that is given: what
   * is in front of "$@". Resolves when it listens.
   */
  readonly start: (how?: { readonly shell?: string; readonly bare?: boolean }) => Promise<Started>;
  /** Writes a manifest whose only module differs by `word`; returns its path. */
  readonly manifest: (word: string, more?: object) => string;
  readonly command: (...args: readonly string[]) => Promise<Ran>;
  readonly seen: () => Promise<Seen>;
  /** Keeps a file, and returns what a manifest says of it. */
  readonly hub: (name: string, bytes: Buffer) => { readonly sha256: string; readonly from: string };
  readonly close: () => Promise<void>;
};

/** Runs the binary to its end, while others go on. */
function command(args: readonly string[]): Promise<Ran> {
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

export async function createSite(): Promise<Site> {
  const folder = folderWith({
    'work.sh': '#!/bin/sh\nexec sleep 1000\n',
    'crash.sh': '#!/bin/sh\nexit 7\n',
    'stays.sh': '#!/bin/sh\ntrap "" TERM\nexec sleep 1000\n',
  });
  const data = join(folder, 'data');
  const [port, parent] = [await freePort(), await freePort()];
  const started: Started[] = [];

  const manifest: Site['manifest'] = (word, more = {}) => {
    const file = join(folder, `${word}.json`);
    const text = JSON.stringify({
      name: 'gate',
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
      upstream: { url: `mqtt://127.0.0.1:${parent}` },
      routes: { all: 'FROM topic("load/#") INTO $upstream' },
      deployment: { healthyFor: '500ms', within: '20s' },
      // A pack has a folder of its own, so paths are whole.
      modules: { [word]: { exec: [join(folder, 'work.sh')] } },
      ...more,
    });
    writeFileSync(file, text);
    return file;
  };

  const start: Site['start'] = async ({ shell = '', bare = false } = {}) => {
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
    seen: async () => JSON.parse((await command(['ps', '--json', '--data', data])).out),
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
export function refused({ code, err }: Ran, wanted: number, sentence: RegExp): void {
  assert.match(err, sentence, err);
  assert.is(code, wanted);
  assert.is(err.trimEnd().split('\n').length, 1);
}

/** The processes of hubs that run on a data folder, guards excepted. */
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

const built = readFileSync(skerry);

/** The built hub, which calls itself version 0.1.1 or such: it is another file, and all else is the same. */
export function nextHub(digit: number): Buffer {
  const own = /^skerry (\S+)/.exec(spawnSync(skerry, ['version'], { encoding: 'utf8' }).stdout)?.[1] ?? '';
  const [from, to] = [Buffer.from(own), Buffer.from(`${own.slice(0, -1)}${digit}`)];
  const bytes = Buffer.from(built);
  let at = built.indexOf(from);
  if (own === '' || at < 0) throw new Error(`Not in the binary: "${own}"`);
  // The hub and the other commands each have it, and what V8 made of the hub.
  for (; at >= 0; at = built.indexOf(from, at + 1)) to.copy(bytes, at);
  return bytes;
}

const SAYS = 'puts("skerry 9.9.9 (any)"); return 0;';

/**
 * A program that says that it is Skerry, or does something else when it is asked, and does `up` instead of
 * running a hub; undefined where there is no compiler.
 */
export function pretender(folder: string, name: string, up: string, version = SAYS): Buffer | undefined {
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

/** Ends at once. */
export const ENDS = 'return 3;';

/** Does nothing, and does not go when it is asked to. */
export const HANGS = 'signal(SIGTERM, SIG_IGN); for (;;) pause();';
