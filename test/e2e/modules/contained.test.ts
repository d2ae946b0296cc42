import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runningProcess } from '../../../src/core/proc.ts';
import type { HubStatus } from '../../../src/hub/status.ts';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../../harness/binary.ts';

const contained = suite('e2e: misbehaving modules');

const MAX_LOG_BYTES = 5 << 20;

/** Misbehaviour as a shell script, and the limit that contains it. */
const MISBEHAVIOUR: Readonly<Record<string, { readonly script: string; readonly more?: object }>> = {
  forks: { script: 'sleep 1000 & sleep 1000 & echo $! > $AT/forks; wait' },
  daemon: { script: '(setsid sh -c \'echo $$ > "$AT/daemon"; exec sleep 1000\' &); exec sleep 1000' },
  stubborn: { script: 'trap "" TERM; while :; do sleep 0.1; done', more: { stopGraceSeconds: 0.2 } },
  flood: { script: 'while :; do echo "a line of log that says nothing at all" >&2; done' },
  eater: { script: 'head -c 300m /dev/zero | tail', more: { limits: { memory: '24M' }, restart: 'never' } },
  bomb: { script: 'b() { b | b & }; b; sleep 1000', more: { limits: { pids: 16 } } },
  mute: { script: 'exec >&-; exec sleep 1000', more: { io: 'lines' } },
  deaf: { script: 'exec sleep 1000', more: { io: 'lines' } },
};

type RunningTest = { readonly folder: string; readonly data: string; readonly log: () => string };

/** Runs a hub with all misbehaving modules and one that prints a message every 50 ms. */
async function withHub(scenario: (test: RunningTest) => Promise<void>): Promise<void> {
  const files = Object.entries(MISBEHAVIOUR).map(([name, { script }]) => [
    `${name}.sh`,
    `#!/bin/sh\n${script}\n`,
  ]);
  const honest = '#!/bin/sh\nwhile :; do echo honest; sleep 0.05; done\n';
  const modules = Object.entries(MISBEHAVIOUR).map(([name, { more }]) => [
    name,
    { exec: [`./${name}.sh`], env: { AT: '.' }, ...more },
  ]);
  const manifest = {
    name: 'contained',
    listeners: [{ mqtt: `127.0.0.1:${await freePort()}` }],
    modules: { ...Object.fromEntries(modules), honest: { exec: ['./honest.sh'], io: 'lines' } },
    routes: {
      deaf: 'FROM /messages/modules/honest INTO BrokeredEndpoint("/modules/deaf/inputs/in")',
      count: 'FROM /messages/modules/honest INTO topic("honest")',
    },
  };
  const place = folderWith({
    ...Object.fromEntries(files),
    'honest.sh': honest,
    'm.json': JSON.stringify(manifest),
  });
  const hub = await startHub(place, 'm.json', 'data');
  try {
    await scenario({ folder: place, data: join(place, 'data'), log: hub.log });
  } finally {
    assert.is(await hub.end('SIGTERM'), 0);
    removeFolder(place);
  }
}

function statusOf({ data }: RunningTest): HubStatus {
  const { code, out, err } = run(['ps', '--json', '--data', data]);
  assert.is(code, 0, err);
  return JSON.parse(out);
}

function module(test: RunningTest, name: string): HubStatus['modules'][number] {
  const found = statusOf(test).modules.find(one => one.name === name);
  if (found === undefined) throw new Error(`There is no module ${name}`);
  return found;
}

const honestMessages = (test: RunningTest): number =>
  statusOf(test).routes.find(({ name }) => name === 'count')?.matched ?? 0;

contained('the hub and a well-behaved module continue to work while eight other modules misbehave', () =>
  withHub(async test => {
    await until('the daemon runs', () => existsSync(join(test.folder, 'daemon')));
    const { notEnforced, ...eater } = module(test, 'eater');
    await until('the eater has ended', () => module(test, 'eater').state === 'failed');
    if (!notEnforced.some(one => one.startsWith('memory:')))
      assert.match(module(test, 'eater').lastExit ?? '', /OOM-killed at its memory limit$/, eater.name);
    const bomb = module(test, 'bomb');
    if (!bomb.notEnforced.some(one => one.startsWith('pids:'))) {
      await until('a fork was refused', () => (module(test, 'bomb').usage.forksRefused ?? 0) > 0);
    }
    await until('the flood has filled a file', () => existsSync(join(test.data, 'logs/flood.log.1')));
    const before = honestMessages(test);
    await until('honest messages go on', () => honestMessages(test) > before + 20);
    for (const name of ['forks', 'daemon', 'stubborn', 'flood', 'mute', 'deaf']) {
      assert.is(module(test, name).state, 'running', name);
    }
    const logs = readdirSync(join(test.data, 'logs')).filter(file => file.startsWith('flood.log'));
    // A file may be rotated away between the two calls.
    const sizeOf = (file: string): number =>
      statSync(join(test.data, 'logs', file), { throwIfNoEntry: false })?.size ?? 0;
    const bytes = logs.reduce((sum, file) => sum + sizeOf(file), 0);
    assert.ok(bytes < MAX_LOG_BYTES, `${bytes} bytes of log`);

    const strays = ['forks', 'daemon'].map(file => readFileSync(join(test.folder, file), 'utf8').trim());
    for (const name of ['forks', 'daemon', 'stubborn', 'bomb']) {
      assert.is(run(['stop', name, '--data', test.data]).code, 0);
      assert.is(module(test, name).state, 'stopped');
    }
    for (const pid of strays) assert.is(runningProcess(Number(pid)), undefined);
    assert.is(module(test, 'stubborn').lastExit, 'SIGKILL');
    await until('the SIGKILL is logged', () =>
      /Module "stubborn" did not stop within 200 ms: sending SIGKILL/.test(test.log()),
    );
  }),
);

contained(
  'a limit that the system cannot enforce is reported by `skerry ps`, `skerry check` and a $SYS topic',
  async () => {
    const devices = ['/dev/nothing-of-that-name'];
    const port = await freePort();
    const place = folderWith({
      'm.json': JSON.stringify({
        name: 'honest',
        listeners: [{ mqtt: `127.0.0.1:${port}` }],
        modules: { m: { exec: ['sleep', '1000'], user: '61000', devices } },
      }),
    });
    const hub = await startHub(place, 'm.json', 'data');
    try {
      const data = join(place, 'data');
      await until('it runs', () => run(['ps', '--data', data]).out.includes('running'));
      const lack =
        process.getuid?.() === 0 ? 'devices: no such device /dev/nothing-of-that-name' : 'user: only root';
      assert.ok(run(['ps', '--data', data]).out.includes(`not enforced for "m": ${lack}`));
      const check = run(['check', '--data', data]);
      assert.is(check.code, 1);
      assert.ok(check.out.includes(`PROBLEM  module "m": not enforced: ${lack}`), check.out);
      const topic = '$SYS/modules/m/not enforced';
      const said = run(['sub', '-p', String(port), '-t', topic, '-C', '1']);
      assert.ok(said.out.includes(lack), said.out + said.err);
    } finally {
      await hub.end('SIGTERM');
      removeFolder(place);
    }
  },
);

contained.run();
