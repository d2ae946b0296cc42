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
import { commandOf } from './update-harness.ts';

/** Shells that may be /bin/sh. */
const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];

const watchdogs = suite('self-update: watchdog');

const BASE = '#!/bin/sh\necho "$SKERRY_TRIAL_ENDED|$SKERRY_SLOT|$SKERRY_GUARD|$*" > "$HERE/base"; exit 99\n';

/** Defines a test that runs with all installed shells at once, because the scenarios mostly wait. */
function byEachShell(
  title: string,
  scenario: (folder: string, shell: readonly string[]) => Promise<void>,
): void {
  const found = SHELLS.filter(([program = '']) => spawnSync(program, ['-c', ':']).error === undefined);
  watchdogs(title, async () => {
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

type RunningWatchdog = {
  readonly pid: number;
  readonly gone: Promise<number | string | null>;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Resolves when the hub has written `ready`. */
  readonly ready: () => Promise<void>;
};

/** Starts a watchdog in `shell` for a hub that runs `script`. */
function startWatchdog(
  folder: string,
  shell: readonly string[],
  script: string,
  seconds: number,
): RunningWatchdog {
  const paths = updatePaths(folder);
  mkdirSync(paths.slotFolder('a'), { recursive: true });
  writeFileSync(paths.unconfirmed, '');
  writeFileSync(paths.binary('a'), `#!/bin/sh\n${script}\n`);
  chmodSync(paths.binary('a'), 0o755);
  const base = { path: join(folder, 'base.sh'), size: 0, changed: 0, inode: 0, sha256: '' };
  const trial = {
    slot: 'a',
    limits: { starts: 3, seconds, grace: 1 },
    tries: 1,
    seconds: 0,
    lastEnd: '',
  } as const;
  const state: UpdateState = { base, current: 'base', slots: {}, trial };
  const [, ...rest] = watchdogCommand(paths, state, trial, ['up', 'a b', "'$x"]);
  const [program = '', ...options] = shell;
  const env = { PATH: process.env['PATH'], HERE: folder };
  const child = spawn(program, [...options, ...rest], {
    env: withMarkers(env, paths, 'a', { pid: 1, started: 2, boot: '3' }),
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

/** Variables and arguments that the base binary received. */
const baseRecord = (folder: string): string => readFileSync(join(folder, 'base'), 'utf8').trim();
const expectedRecord = (how: string): RegExp => new RegExp(`^${how}\\|\\|\\|up a b '\\$x$`);
const READY = 'echo $$ > "$HERE/ready"';
const CONFIRM = 'rm "$HERE/hub/unconfirmed"';

byEachShell(
  'the watchdog of a hub that exits executes the installed hub binary and passes it the exit code',
  async (folder, shell) => {
    const ends = {
      'exit 0': '0',
      'exit 3': '3',
      'kill -9 $$': '137',
      'sleep 1.5; exit 1': '1',
      '/nonexistent': '127',
    };
    for (const [script, how] of Object.entries(ends)) {
      const { gone } = startWatchdog(folder, shell, script, 30);
      assert.is(await gone, 99);
      assert.match(baseRecord(folder), expectedRecord(`${how} [0-9]`), script);
    }
  },
);

byEachShell('a hub beyond its time limit receives SIGTERM and then SIGKILL', async (folder, shell) => {
  const asked = startWatchdog(
    folder,
    shell,
    `trap 'echo asked > "$HERE/asked"; exit 0' TERM; while :; do sleep 1 & wait; done`,
    1,
  );
  assert.is(await asked.gone, 99);
  assert.match(baseRecord(folder), expectedRecord('late 1'));
  assert.ok(existsSync(join(folder, 'asked')));
  const killed = startWatchdog(folder, shell, `trap "" TERM; ${READY}; exec sleep 1000`, 1);
  assert.is(await killed.gone, 99);
  assert.match(baseRecord(folder), expectedRecord('late 1'));
  assert.is(commandOf(Number(readFileSync(join(folder, 'ready'), 'utf8'))), undefined);
});

byEachShell(
  'a hub that is confirmed has no time limit, and the watchdog returns the exit code of the hub',
  async (folder, shell) => {
    assert.is(await startWatchdog(folder, shell, `${CONFIRM}; sleep 2.5; exit 5`, 1).gone, 5);
    assert.is(await startWatchdog(folder, shell, `${CONFIRM}; sleep 1.5; kill -9 $$`, 1).gone, 137);
    assert.not(existsSync(join(folder, 'base')));
  },
);

byEachShell(
  'the watchdog of a hub that exits for a handover executes the installed hub binary without an exit code',
  async (folder, shell) => {
    for (const script of ['exit 75', `${CONFIRM}; exit 75`]) {
      assert.is(await startWatchdog(folder, shell, script, 30).gone, 99);
      assert.match(baseRecord(folder), expectedRecord(''));
    }
  },
);

byEachShell(
  'the watchdog forwards many signals and returns the exit code of the hub',
  async (folder, shell) => {
    const script = `n=0; trap 'n=$((n + 1))' TERM INT HUP; ${CONFIRM}; ${READY}; while [ $n -lt 1 ]; do sleep 0.1; done; sleep 1; sleep 1; exit 6`;
    const hub = startWatchdog(folder, shell, script, 30);
    await hub.ready();
    for (let count = 0; count < 100; count++) {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) hub.signal(signal);
      await new Promise(done => setTimeout(done, 2));
    }
    const code = await hub.gone;
    assert.ok(code === 6, `it ended with ${code}`);
  },
);

byEachShell(
  'a trial whose watchdog receives SIGTERM counts as stopped if the hub exits with 0, and as failed otherwise',
  async (folder, shell) => {
    const { stopped, unconfirmed } = updatePaths(folder);
    const bad = startWatchdog(folder, shell, `trap 'exit 4' TERM; ${READY}; while :; do sleep 0.1; done`, 30);
    await bad.ready();
    bad.signal('SIGTERM');
    assert.is(await bad.gone, 4);
    assert.equal([existsSync(stopped), existsSync(unconfirmed)], [false, true]);
    writeFileSync(join(folder, 'ready'), '');
    const healthy = startWatchdog(
      folder,
      shell,
      `trap 'exit 0' TERM; ${READY}; while :; do sleep 0.1; done`,
      30,
    );
    await until('it is ready', () => readFileSync(join(folder, 'ready'), 'utf8') !== '');
    healthy.signal('SIGTERM');
    assert.is(await healthy.gone, 0);
    assert.equal([existsSync(stopped), existsSync(unconfirmed)], [true, false]);
    assert.not(existsSync(join(folder, 'base')));
  },
);

byEachShell('the watchdog uses less than 1 MB of memory', async (folder, shell) => {
  const hub = startWatchdog(folder, shell, `${CONFIRM}; ${READY}; exec sleep 1000`, 30);
  await hub.ready();
  const status = readFileSync(`/proc/${hub.pid}/status`, 'utf8');
  assert.ok(Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) < 1024, status);
  hub.signal('SIGTERM');
  assert.is(await hub.gone, 143);
});
watchdogs.run();
