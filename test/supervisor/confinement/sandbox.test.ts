import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SandboxLevel } from '../../../src/supervisor/confinement/sandbox.ts';
import { makeTmpfsFolder } from '../../../src/supervisor/confinement/tmpfs-folder.ts';
import { dynamicRange } from '../../../src/supervisor/confinement/users.ts';
import { SANDBOX_TMP_BYTES } from '../../../src/supervisor/limits.ts';
import type { ModuleSpec } from '../../../src/supervisor/spec.ts';
import { skip } from '../../harness/skip.ts';
import type { SupervisorHarness } from '../../harness/supervisor.ts';
import { until, withSupervisor } from '../../harness/supervisor.ts';

const sandbox = suite('supervisor: sandbox');

/** Harness folder outside of /tmp, because a sandbox has a private /tmp. */
const OUTSIDE_TMP = { beneath: '/var/tmp' };

const ROOT = process.getuid?.() === 0;

/** Runs a script as a module. Returns its printed lines. */
async function outputOf(
  harness: SupervisorHarness,
  script: string,
  more: Partial<ModuleSpec>,
): Promise<string[]> {
  await harness.supervisor.start([harness.sh('m', script, more)]);
  await until('the module has ended', () => ['failed', 'ended'].includes(harness.status('m').state));
  assert.is(harness.status('m').lastExit, 'exit 0', harness.log.join('\n'));
  return harness.texts();
}

/** True if private mounts work here. Otherwise the module reports the lack. */
function isPrivate(harness: SupervisorHarness): boolean {
  return !harness.status('m').notEnforced.some(one => /^sandbox: no private \/tmp/.test(one));
}

/** True if the sandbox "strict" works here. Otherwise the module reports the lack. */
function isStrict(harness: SupervisorHarness): boolean {
  return !harness
    .status('m')
    .notEnforced.some(one => /^sandbox: "strict" is reduced to "standard"/.test(one));
}

const LEVELS: readonly SandboxLevel[] = ['standard', 'strict'];

for (const level of LEVELS) {
  sandbox(`a module in a ${level} sandbox has no privileges, cannot gain any and is not root`, () =>
    withSupervisor(OUTSIDE_TMP, async harness => {
      const script = 'grep -E "^(NoNewPrivs|CapEff|CapPrm|CapAmb)" /proc/self/status; id -u';
      const lines = await outputOf(harness, script, { sandbox: level });
      const uid = lines.pop();
      if (ROOT) assert.ok(Number(uid) >= dynamicRange().first && Number(uid) <= dynamicRange().last);
      else assert.is(uid, String(process.getuid?.()));
      for (const line of lines) assert.match(line, /^(NoNewPrivs:\t1|Cap...:\t0+)$/);
      assert.is(lines.length, 4);
    }),
  );

  sandbox(`a module in a ${level} sandbox may write only its private folder and an empty /tmp`, () =>
    withSupervisor(OUTSIDE_TMP, async harness => {
      chmodSync(harness.folder, 0o777);
      const script = `cd; pwd; for at in . /tmp '${harness.folder}' /var/tmp /etc; do
        if touch "$at/mark" 2>/dev/null; then echo yes; else echo no; fi; done; ls -A /tmp`;
      const [home, ...lines] = await outputOf(harness, script, { sandbox: level });
      assert.is(home, join(harness.folder, 'data/modules/m'));
      if (isPrivate(harness)) assert.equal(lines, ['yes', 'yes', 'no', 'no', 'no', 'mark']);
      else assert.is(lines[0], 'yes');
    }),
  );

  sandbox(`a module in a ${level} sandbox has a private /dev/shm of limited size in memory`, () =>
    withSupervisor(OUTSIDE_TMP, async harness => {
      const script = `ls -A /dev/shm; echo mark >/dev/shm/mark; ls /dev/shm; stat -f -c %T /dev/shm
stat -c %a /dev/shm; stat -f -c '%b %S' /dev/shm`;
      const lines = await outputOf(harness, script, { sandbox: level });
      if (!isPrivate(harness)) return;
      const [blocks = 0, size = 0] = lines.pop()?.split(' ').map(Number) ?? [];
      assert.equal(lines, ['mark', 'tmpfs', '1777']);
      assert.is(blocks * size, SANDBOX_TMP_BYTES);
    }),
  );

  sandbox(`a module in a ${level} sandbox cannot see the data of the hub`, () =>
    withSupervisor(OUTSIDE_TMP, async harness => {
      const script = `ls '${harness.folder}/data'; ls '${harness.folder}/data/modules'`;
      const lines = await outputOf(harness, script, { sandbox: level });
      if (isPrivate(harness)) assert.equal(lines, ['modules', 'm']);
    }),
  );

  sandbox(`a module in a ${level} sandbox can read but not change its program and its secrets`, () =>
    withSupervisor(OUTSIDE_TMP, async harness => {
      const data = join(harness.folder, 'data');
      chmodSync(harness.folder, 0o755);
      mkdirSync(join(data, 'bundles/one'), { recursive: true });
      mkdirSync(join(data, 'bundles/two'));
      for (const folder of [data, join(data, 'bundles')]) chmodSync(folder, 0o755);
      writeFileSync(join(data, 'bundles/one/program'), 'echo program; ls ..; ls ../..');
      const script = `. ./program; cat "$KEY"; stat -c '%a %u' "$KEY"
echo x 2>/dev/null >program || echo kept; echo x 2>/dev/null >"$KEY" || echo kept; rm -f "$KEY" 2>/dev/null || echo kept`;
      const lines = await outputOf(harness, script, {
        sandbox: level,
        cwd: join(data, 'bundles/one'),
        programFolder: join(data, 'bundles/one'),
        secretFiles: [{ variable: 'KEY', content: Buffer.from('hush\n') }],
      });
      if (!isPrivate(harness)) return;
      const uid = lines[5]?.split(' ')[1] ?? '';
      assert.equal(lines, [
        'program',
        'one',
        'bundles',
        'modules',
        'hush',
        `400 ${uid}`,
        'kept',
        'kept',
        'kept',
      ]);
      if (ROOT) assert.not.equal(uid, '0');
    }),
  );

  sandbox(`a module in a ${level} sandbox receives its stop signal and reports its exit status`, () =>
    withSupervisor(OUTSIDE_TMP, async harness => {
      const polite = 'trap "echo asked; exit 3" TERM; echo up; while :; do sleep 0.01; done';
      await harness.supervisor.start([
        harness.sh('polite', polite, { sandbox: level }),
        harness.sh('plain', 'echo up; exec sleep 100', { sandbox: level }),
        harness.sh('stubborn', 'trap "" TERM; echo up; while :; do sleep 0.01; done', {
          sandbox: level,
          stopGrace: 50,
        }),
      ]);
      await until('all run', () => harness.texts().filter(text => text === 'up').length === 3);
      await harness.supervisor.stop();
      assert.ok(harness.texts().includes('asked'));
      assert.is(harness.status('polite').lastExit, 'exit 3');
      assert.is(harness.status('plain').lastExit, 'SIGTERM');
      assert.is(harness.status('stubborn').lastExit, 'SIGKILL');
    }),
  );
}

const KEY = [{ variable: 'KEY', content: Buffer.from('hush\n') }];

for (const more of [{}, { user: 'dynamic' }, { sandbox: 'standard' }, { sandbox: 'strict' }] as const) {
  sandbox(
    `secrets of a module with ${JSON.stringify(more)} are on tmpfs and are removed with the module`,
    () =>
      withSupervisor(OUTSIDE_TMP, async harness => {
        const script = 'cat "$KEY"; stat -f -c %T "$KEY"; echo "$KEY"; exec sleep 1000';
        await harness.supervisor.start([
          harness.sh('m', script, { ...more, secretFiles: KEY, restart: 'always' }),
        ]);
        await until('it has told', () => harness.lines.length === 3);
        const [content, type, path = ''] = harness.texts();
        assert.equal([content, type], ['hush', 'tmpfs']);
        assert.is(readFileSync(path, 'utf8'), 'hush\n');
        await harness.supervisor.stopModule('m');
        assert.not.ok(existsSync(path));
        await harness.supervisor.startModule('m');
        await until('it has told again', () => harness.lines.length === 6);
        await harness.supervisor.remove('m');
        assert.not.ok(existsSync(dirname(path)));
      }),
  );

  sandbox(
    `a module with ${JSON.stringify(more)} cannot see the secrets of other modules if it has a sandbox`,
    () =>
      withSupervisor(OUTSIDE_TMP, async harness => {
        const memory = makeTmpfsFolder(join(harness.folder, 'data'));
        if (typeof memory !== 'string' || !('sandbox' in more)) return;
        await harness.supervisor.start([
          harness.sh('other', 'exec sleep 1000', { startupOrder: 1, secretFiles: KEY }),
          harness.sh('m', `ls -A '${memory}'`, { ...more, startupOrder: 2, secretFiles: KEY }),
        ]);
        await until('it has told', () => harness.status('m').state === 'ended');
        if (isPrivate(harness)) assert.equal(harness.texts(), ['m']);
      }),
  );
}

sandbox(
  'secret files in memory and on disk that remain after a crash of the hub are removed at the next start',
  () =>
    withSupervisor(OUTSIDE_TMP, async harness => {
      const data = join(harness.folder, 'data');
      const memory = makeTmpfsFolder(data);
      if (typeof memory !== 'string') throw new Error(memory.reason);
      for (const folder of [join(memory, 'gone'), join(data, 'secrets/gone')]) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'KEY'), 'hush');
      }
      await harness.supervisor.start([]);
      assert.equal([existsSync(join(memory, 'gone')), existsSync(join(data, 'secrets'))], [false, false]);
    }),
);

sandbox('a module in a strict sandbox sees only its own processes and granted devices', () =>
  withSupervisor(OUTSIDE_TMP, async harness => {
    const script = 'for one in /proc/[0-9]*; do echo process; done; ls /dev';
    const lines = await outputOf(harness, script, { sandbox: 'strict', devices: ['/dev/loop-control'] });
    if (!isStrict(harness)) return;
    assert.ok(lines.filter(line => line === 'process').length < 8);
    assert.ok(lines.includes('null') && !lines.includes('mem') && !lines.includes('kmsg'));
  }),
);

sandbox('a module with a user but no sandbox has a private folder and only its own uid', () =>
  withSupervisor(OUTSIDE_TMP, async harness => {
    chmodSync(harness.folder, 0o755);
    const lines = await outputOf(harness, 'id -u; id -g; id -G', { user: '61000' });
    if (ROOT) assert.equal(lines, ['61000', '61000', '61000']);
    else assert.match(harness.status('m').notEnforced.join(), /^user: only root may start programs/);
  }),
);

const FAULTS: readonly (readonly [string, Partial<ModuleSpec>, RegExp])[] = [
  ['an unknown user', { user: 'nobody-of-that-name' }, /^Unknown user "nobody-of-that-name"/],
  ['a sandbox and the user root', { sandbox: 'standard', user: 'root' }, /^A sandbox cannot confine root/],
  [
    'a sandbox and a working folder in /tmp',
    { sandbox: 'standard', cwd: '/tmp' },
    /^A sandbox has a private \/tmp/,
  ],
];

for (const [what, more, sentence] of FAULTS) {
  sandbox(`a module with ${what} is refused with one sentence`, () =>
    withSupervisor(OUTSIDE_TMP, async harness => {
      if (!ROOT && 'user' in more) return;
      await harness.supervisor.start([harness.sh('m', 'sleep 100', more)]);
      assert.is(harness.status('m').state, 'failed');
      assert.match(harness.status('m').lastExit ?? '', sentence);
    }),
  );
}

sandbox('a module whose user cannot access its program is refused with an error that names the folder', () =>
  withSupervisor(OUTSIDE_TMP, async harness => {
    if (!ROOT) return;
    chmodSync(harness.folder, 0o700);
    const program = join(harness.folder, 'program');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    await harness.supervisor.start([harness.sh('m', '', { exec: ['./program'], user: 'dynamic' })]);
    const sentence = `may not enter ${harness.folder}. Run chmod o+x on it, or move the module.`;
    assert.ok(harness.status('m').lastExit?.endsWith(sentence), harness.status('m').lastExit);
  }),
);

sandbox('the program of a health check runs as the same user and in the same sandbox as its module', () =>
  withSupervisor(OUTSIDE_TMP, async harness => {
    const check = { kind: 'exec', exec: ['sh', '-c', 'test "$(id -u)" != 0 && test -O "$HOME"'] } as const;
    const health = { check, every: 1_000, timeout: 5_000, threshold: 1, readyWithin: 5_000 };
    await harness.supervisor.start([harness.sh('m', 'exec sleep 100', { sandbox: 'standard', health })]);
    assert.is(harness.status('m').state, ROOT ? 'ready' : 'running');
  }),
);

for (const level of LEVELS) {
  sandbox(
    `variables such as LD_PRELOAD reach a module in a ${level} sandbox, but not its wrapper programs`,
    () =>
      withSupervisor(OUTSIDE_TMP, async harness => {
        const env = { LD_PRELOAD: '/no/such/library.so', PS4: 'x', OTHER: 'as ever' };
        const script = 'echo "$LD_PRELOAD $PS4 $OTHER"';
        const limits = { pids: 50 };
        assert.equal(await outputOf(harness, script, { sandbox: level, env, limits }), [
          '/no/such/library.so x as ever',
        ]);
        const complaints = (): number => harness.logged('m').split('cannot be preloaded').length - 1;
        await until('the loader has complained', () => complaints() > 0);
        assert.is(complaints(), 1, harness.logged('m'));
      }),
  );
}

sandbox('a module whose private folder has the correct owner and mode can start on a read-only disk', () =>
  withSupervisor(OUTSIDE_TMP, async harness => {
    const own = join(harness.folder, 'data/modules/m');
    await outputOf(harness, 'true', { user: 'dynamic', sandbox: 'standard' });
    const before = [own, dirname(own)].map(folder => statSync(folder).ctimeMs);
    await harness.supervisor.restart('m');
    await until('it has ended again', () => harness.status('m').state === 'ended');
    assert.equal(
      [own, dirname(own)].map(folder => statSync(folder).ctimeMs),
      before,
    );
  }),
);

sandbox('a module gets no dynamic user ID that already owns the folder of a removed module', async () => {
  if (!ROOT) return skip('only root starts programs as another user');
  let usual = 0;
  await withSupervisor(OUTSIDE_TMP, async harness => {
    usual = Number((await outputOf(harness, 'id -u', { user: 'dynamic' }))[0]);
  });
  await withSupervisor(OUTSIDE_TMP, async harness => {
    const left = join(harness.folder, 'data/modules/left');
    mkdirSync(left, { recursive: true });
    chownSync(left, usual, usual);
    const [uid] = await outputOf(harness, 'id -u', { user: 'dynamic' });
    const { first, last } = dynamicRange();
    assert.is(Number(uid), usual === last ? first : usual + 1);
    assert.is(statSync(left).uid, usual);
  });
});

sandbox.run();
