import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../src/core/errors.ts';
import { withMarkers } from '../../src/self-update/env-markers.ts';
import { updatePaths } from '../../src/self-update/paths.ts';
import type { UpdateState } from '../../src/self-update/state.ts';
import { watchdogCommand } from '../../src/self-update/watchdog.ts';
import { folderWith, removeFolder, until } from '../harness/binary.ts';
import { commandOf } from './world.ts';

/** Shells that /bin/sh may be. */
const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];

const guards = suite('update: the guard');

const BASE = '#!/bin/sh\necho "$SKERRY_TRIAL_ENDED|$SKERRY_SLOT|$SKERRY_GUARD|$*" > "$HERE/base"; exit 99\n';

/** A test by each shell that is here, at once, for they mostly wait. */
function byEachShell(
  title: string,
  scenario: (folder: string, shell: readonly string[]) => Promise<void>,
): void {
  const found = SHELLS.filter(([program = '']) => spawnSync(program, ['-c', ':']).error === undefined);
  guards(title, async () => {
    assert.ok(found.length > 0);
    const failures = await Promise.all(found.map(shell => failureOf(shell, scenario)));
    for (const failure of failures) if (failure !== undefined) throw failure;
  });
}

async function failureOf(
  shell: readonly string[],
  scenario: (folder: string, shell: readonly string[]) => Promise<void>,
): Promise<Error | undefined> {
  const folder = folderWith({ 'base.sh': BASE });
  try {
    await scenario(folder, shell);
    return undefined;
  } catch (thrown) {
    return new Error(`${shell.join(' ')}: ${reasonOf(thrown)}`, { cause: thrown });
  } finally {
    removeFolder(folder);
  }
}

type Guarded = {
  readonly pid: number;
  readonly gone: Promise<number | string | null>;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Resolves when the hub has written `ready`. */
  readonly ready: () => Promise<void>;
};

/** Starts a guard by `shell` over the hub that `script` is. */
function guard(folder: string, shell: readonly string[], script: string, seconds: number): Guarded {
  const places = updatePaths(folder);
  mkdirSync(places.slotFolder('a'), { recursive: true });
  writeFileSync(places.unconfirmed, '');
  writeFileSync(places.binary('a'), `#!/bin/sh\n${script}\n`);
  chmodSync(places.binary('a'), 0o755);
  const base = { path: join(folder, 'base.sh'), size: 0, changed: 0, inode: 0, sha256: '' };
  const trial = {
    slot: 'a',
    limits: { starts: 3, seconds, grace: 1 },
    tries: 1,
    seconds: 0,
    lastEnd: '',
  } as const;
  const state: UpdateState = { base, current: 'base', slots: {}, trial };
  const [, ...rest] = watchdogCommand(places, state, trial, ['up', 'a b', "'$x"]);
  const [program = '', ...options] = shell;
  const env = { PATH: process.env['PATH'], HERE: folder };
  const child = spawn(program, [...options, ...rest], {
    env: withMarkers(env, places, 'a', { pid: 1, started: 2, boot: '3' }),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return {
    pid: child.pid ?? 0,
    gone: new Promise(done => child.once('exit', (code, signal) => done(code ?? signal))),
    signal: name => {
      child.kill(name);
    },
    ready: () => until('the hub is ready', () => existsSync(join(folder, 'ready'))),
  };
}

const told = (folder: string): string => readFileSync(join(folder, 'base'), 'utf8').trim();
const became = (how: string): RegExp => new RegExp(`^${how}\\|\\|\\|up a b '\\$x$`);
const READY = 'echo $$ > "$HERE/ready"';
const CONFIRM = 'rm "$HERE/hub/unconfirmed"';

byEachShell('a hub that ends makes it the base binary, which is told how', async (folder, shell) => {
  const ends = {
    'exit 0': '0',
    'exit 3': '3',
    'kill -9 $$': '137',
    'sleep 1.5; exit 1': '1',
    '/nonexistent': '127',
  };
  for (const [script, how] of Object.entries(ends)) {
    const { gone } = guard(folder, shell, script, 30);
    assert.is(await gone, 99);
    assert.match(told(folder), became(`${how} [0-9]`), script);
  }
});

byEachShell('a hub that is late is asked to end, and killed', async (folder, shell) => {
  const asked = guard(
    folder,
    shell,
    `trap 'echo asked > "$HERE/asked"; exit 0' TERM; while :; do sleep 1 & wait; done`,
    1,
  );
  assert.is(await asked.gone, 99);
  assert.match(told(folder), became('late 1'));
  assert.ok(existsSync(join(folder, 'asked')));
  const killed = guard(folder, shell, `trap "" TERM; ${READY}; exec sleep 1000`, 1);
  assert.is(await killed.gone, 99);
  assert.match(told(folder), became('late 1'));
  assert.is(commandOf(Number(readFileSync(join(folder, 'ready'), 'utf8'))), undefined);
});

byEachShell('a confirmed hub is left alone, and its exit code is kept', async (folder, shell) => {
  assert.is(await guard(folder, shell, `${CONFIRM}; sleep 2.5; exit 5`, 1).gone, 5);
  assert.is(await guard(folder, shell, `${CONFIRM}; sleep 1.5; kill -9 $$`, 1).gone, 137);
  assert.not(existsSync(join(folder, 'base')));
});

byEachShell(
  'a hub that hands over makes it the base binary, which is told nothing',
  async (folder, shell) => {
    for (const script of ['exit 75', `${CONFIRM}; exit 75`]) {
      assert.is(await guard(folder, shell, script, 30).gone, 99);
      assert.match(told(folder), became(''));
    }
  },
);

byEachShell('many signals are passed on, and change no exit code', async (folder, shell) => {
  const script = `n=0; trap 'n=$((n + 1))' TERM INT HUP; ${CONFIRM}; ${READY}; while [ $n -lt 1 ]; do sleep 0.1; done; sleep 1; sleep 1; exit 6`;
  const hub = guard(folder, shell, script, 30);
  await hub.ready();
  for (let count = 0; count < 100; count++) {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) hub.signal(signal);
    await new Promise(done => setTimeout(done, 2));
  }
  const code = await hub.gone;
  assert.ok(code === 6, `it ended with ${code}`);
});

byEachShell('a trial that is told to stop is noted as stopped if it ended well', async (folder, shell) => {
  const { stopped, unconfirmed } = updatePaths(folder);
  const bad = guard(folder, shell, `trap 'exit 4' TERM; ${READY}; while :; do sleep 0.1; done`, 30);
  await bad.ready();
  bad.signal('SIGTERM');
  assert.is(await bad.gone, 4);
  assert.equal([existsSync(stopped), existsSync(unconfirmed)], [false, true]);
  writeFileSync(join(folder, 'ready'), '');
  const well = guard(folder, shell, `trap 'exit 0' TERM; ${READY}; while :; do sleep 0.1; done`, 30);
  await until('it is ready', () => readFileSync(join(folder, 'ready'), 'utf8') !== '');
  well.signal('SIGTERM');
  assert.is(await well.gone, 0);
  assert.equal([existsSync(stopped), existsSync(unconfirmed)], [true, false]);
  assert.not(existsSync(join(folder, 'base')));
});

byEachShell('takes less than 1 MB of memory', async (folder, shell) => {
  const hub = guard(folder, shell, `${CONFIRM}; ${READY}; exec sleep 1000`, 30);
  await hub.ready();
  const status = readFileSync(`/proc/${hub.pid}/status`, 'utf8');
  assert.ok(Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) < 1024, status);
  hub.signal('SIGTERM');
  assert.is(await hub.gone, 143);
});
guards.run();
