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

const sandbox = suite('sandbox');

/** The harness folder is elsewhere, because a sandbox has a private /tmp. */
const ELSEWHERE = { beneath: '/var/tmp' };

const ROOT = process.getuid?.() === 0;

/** Runs a script as a module and gives what it printed, line by line. */
async function said(stage: SupervisorHarness, script: string, more: Partial<ModuleSpec>): Promise<string[]> {
  await stage.supervisor.start([stage.sh('m', script, more)]);
  await until('the module has ended', () => ['failed', 'ended'].includes(stage.status('m').state));
  assert.is(stage.status('m').lastExit, 'exit 0', stage.said.join('\n'));
  return stage.texts();
}

/** Tells if sandbox mounts work here. If not, this must have been reported. */
function isPrivate(stage: SupervisorHarness): boolean {
  return !stage.status('m').notEnforced.some(one => /^sandbox: no private \/tmp/.test(one));
}

function isBubble(stage: SupervisorHarness): boolean {
  return !stage.status('m').notEnforced.some(one => /^sandbox: "strict" is reduced to "standard"/.test(one));
}

const LEVELS: readonly SandboxLevel[] = ['standard', 'strict'];

for (const level of LEVELS) {
  sandbox(`${level}: a module has no privileges, cannot gain any and is not root`, () =>
    withSupervisor(ELSEWHERE, async stage => {
      const script = 'grep -E "^(NoNewPrivs|CapEff|CapPrm|CapAmb)" /proc/self/status; id -u';
      const lines = await said(stage, script, { sandbox: level });
      const uid = lines.pop();
      if (ROOT) assert.ok(Number(uid) >= dynamicRange().first && Number(uid) <= dynamicRange().last);
      else assert.is(uid, String(process.getuid?.()));
      for (const line of lines) assert.match(line, /^(NoNewPrivs:\t1|Cap...:\t0+)$/);
      assert.is(lines.length, 4);
    }),
  );

  sandbox(`${level}: a module may write only its private folder and an empty /tmp`, () =>
    withSupervisor(ELSEWHERE, async stage => {
      chmodSync(stage.folder, 0o777);
      const script = `cd; pwd; for at in . /tmp '${stage.folder}' /var/tmp /etc; do
        if touch "$at/mark" 2>/dev/null; then echo yes; else echo no; fi; done; ls -A /tmp`;
      const [home, ...lines] = await said(stage, script, { sandbox: level });
      assert.is(home, join(stage.folder, 'data/modules/m'));
      if (isPrivate(stage)) assert.equal(lines, ['yes', 'yes', 'no', 'no', 'no', 'mark']);
      else assert.is(lines[0], 'yes');
    }),
  );

  sandbox(`${level}: it may write a /dev/shm of its own, which is in memory and bounded`, () =>
    withSupervisor(ELSEWHERE, async stage => {
      const script = `ls -A /dev/shm; echo mark >/dev/shm/mark; ls /dev/shm; stat -f -c %T /dev/shm
stat -c %a /dev/shm; stat -f -c '%b %S' /dev/shm`;
      const lines = await said(stage, script, { sandbox: level });
      if (!isPrivate(stage)) return;
      const [blocks = 0, size = 0] = lines.pop()?.split(' ').map(Number) ?? [];
      assert.equal(lines, ['mark', 'tmpfs', '1777']);
      assert.is(blocks * size, SANDBOX_TMP_BYTES);
    }),
  );

  sandbox(`${level}: a module cannot see the hub's data`, () =>
    withSupervisor(ELSEWHERE, async stage => {
      const script = `ls '${stage.folder}/data'; ls '${stage.folder}/data/modules'`;
      const lines = await said(stage, script, { sandbox: level });
      if (isPrivate(stage)) assert.equal(lines, ['modules', 'm']);
    }),
  );

  sandbox(
    `${level}: a module can read but not change its program and its secrets, which others cannot read`,
    () =>
      withSupervisor(ELSEWHERE, async stage => {
        const data = join(stage.folder, 'data');
        chmodSync(stage.folder, 0o755);
        mkdirSync(join(data, 'bundles/one'), { recursive: true });
        mkdirSync(join(data, 'bundles/two'));
        for (const folder of [data, join(data, 'bundles')]) chmodSync(folder, 0o755);
        writeFileSync(join(data, 'bundles/one/program'), 'echo program; ls ..; ls ../..');
        const script = `. ./program; cat "$KEY"; stat -c '%a %u' "$KEY"
echo x 2>/dev/null >program || echo kept; echo x 2>/dev/null >"$KEY" || echo kept; rm -f "$KEY" 2>/dev/null || echo kept`;
        const lines = await said(stage, script, {
          sandbox: level,
          cwd: join(data, 'bundles/one'),
          programFolder: join(data, 'bundles/one'),
          secretFiles: [{ variable: 'KEY', content: Buffer.from('hush\n') }],
        });
        if (!isPrivate(stage)) return;
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

  sandbox(`${level}: stop signal and exit status work as without a sandbox`, () =>
    withSupervisor(ELSEWHERE, async stage => {
      const polite = 'trap "echo asked; exit 3" TERM; echo up; while :; do sleep 0.01; done';
      await stage.supervisor.start([
        stage.sh('polite', polite, { sandbox: level }),
        stage.sh('plain', 'echo up; exec sleep 100', { sandbox: level }),
        stage.sh('stubborn', 'trap "" TERM; echo up; while :; do sleep 0.01; done', {
          sandbox: level,
          stopGrace: 50,
        }),
      ]);
      await until('all run', () => stage.texts().filter(text => text === 'up').length === 3);
      await stage.supervisor.stop();
      assert.ok(stage.texts().includes('asked'));
      assert.is(stage.status('polite').lastExit, 'exit 3');
      assert.is(stage.status('plain').lastExit, 'SIGTERM');
      assert.is(stage.status('stubborn').lastExit, 'SIGKILL');
    }),
  );
}

const KEY = [{ variable: 'KEY', content: Buffer.from('hush\n') }];

for (const more of [{}, { user: 'dynamic' }, { sandbox: 'standard' }, { sandbox: 'strict' }] as const) {
  sandbox(`secrets are on tmpfs and are removed with the module: ${JSON.stringify(more)}`, () =>
    withSupervisor(ELSEWHERE, async stage => {
      const script = 'cat "$KEY"; stat -f -c %T "$KEY"; echo "$KEY"; exec sleep 1000';
      await stage.supervisor.start([stage.sh('m', script, { ...more, secretFiles: KEY, restart: 'always' })]);
      await until('it has told', () => stage.lines.length === 3);
      const [content, type, path = ''] = stage.texts();
      assert.equal([content, type], ['hush', 'tmpfs']);
      assert.is(readFileSync(path, 'utf8'), 'hush\n');
      await stage.supervisor.stopModule('m');
      assert.not.ok(existsSync(path));
      await stage.supervisor.startModule('m');
      await until('it has told again', () => stage.lines.length === 6);
      await stage.supervisor.remove('m');
      assert.not.ok(existsSync(dirname(path)));
    }),
  );

  sandbox(`a sandboxed module cannot see the secrets of others: ${JSON.stringify(more)}`, () =>
    withSupervisor(ELSEWHERE, async stage => {
      const memory = makeTmpfsFolder(join(stage.folder, 'data'));
      if (typeof memory !== 'string' || !('sandbox' in more)) return;
      await stage.supervisor.start([
        stage.sh('other', 'exec sleep 1000', { startupOrder: 1, secretFiles: KEY }),
        stage.sh('m', `ls -A '${memory}'`, { ...more, startupOrder: 2, secretFiles: KEY }),
      ]);
      await until('it has told', () => stage.status('m').state === 'ended');
      if (isPrivate(stage)) assert.equal(stage.texts(), ['m']);
    }),
  );
}

sandbox('secrets left by a crash of the hub are removed at the next start, also old ones on flash', () =>
  withSupervisor(ELSEWHERE, async stage => {
    const data = join(stage.folder, 'data');
    const memory = makeTmpfsFolder(data);
    if (typeof memory !== 'string') throw new Error(memory.reason);
    for (const folder of [join(memory, 'gone'), join(data, 'secrets/gone')]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'KEY'), 'hush');
    }
    await stage.supervisor.start([]);
    assert.equal([existsSync(join(memory, 'gone')), existsSync(join(data, 'secrets'))], [false, false]);
  }),
);

sandbox('strict: a module sees only its own processes and granted devices', () =>
  withSupervisor(ELSEWHERE, async stage => {
    const script = 'for one in /proc/[0-9]*; do echo process; done; ls /dev';
    const lines = await said(stage, script, { sandbox: 'strict', devices: ['/dev/loop-control'] });
    if (!isBubble(stage)) return;
    assert.ok(lines.filter(line => line === 'process').length < 8);
    assert.ok(lines.includes('null') && !lines.includes('mem') && !lines.includes('kmsg'));
  }),
);

sandbox('a module with a user but no sandbox has a private folder and only its own uid', () =>
  withSupervisor(ELSEWHERE, async stage => {
    chmodSync(stage.folder, 0o755);
    const lines = await said(stage, 'id -u; id -g; id -G', { user: '61000' });
    if (ROOT) assert.equal(lines, ['61000', '61000', '61000']);
    else assert.match(stage.status('m').notEnforced.join(), /^user: only root may start programs/);
  }),
);

const FAULTS: readonly (readonly [string, Partial<ModuleSpec>, RegExp])[] = [
  ['a user that is not there', { user: 'nobody-of-that-name' }, /^Unknown user "nobody-of-that-name"/],
  ['root in a sandbox', { sandbox: 'standard', user: 'root' }, /^A sandbox cannot confine root/],
  ['a folder in /tmp', { sandbox: 'standard', cwd: '/tmp' }, /^A sandbox has a private \/tmp/],
];

for (const [what, more, sentence] of FAULTS) {
  sandbox(`a module is refused in one sentence: ${what}`, () =>
    withSupervisor(ELSEWHERE, async stage => {
      if (!ROOT && 'user' in more) return;
      await stage.supervisor.start([stage.sh('m', 'sleep 100', more)]);
      assert.is(stage.status('m').state, 'failed');
      assert.match(stage.status('m').lastExit ?? '', sentence);
    }),
  );
}

sandbox('a program that its user may not reach is refused with the name of the closed folder', () =>
  withSupervisor(ELSEWHERE, async stage => {
    if (!ROOT) return;
    chmodSync(stage.folder, 0o700);
    const program = join(stage.folder, 'program');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    await stage.supervisor.start([stage.sh('m', '', { exec: ['./program'], user: 'dynamic' })]);
    const sentence = `may not enter ${stage.folder}. Run chmod o+x on it, or move the module.`;
    assert.ok(stage.status('m').lastExit?.endsWith(sentence), stage.status('m').lastExit);
  }),
);

sandbox('a health check is confined like its module', () =>
  withSupervisor(ELSEWHERE, async stage => {
    const check = { kind: 'exec', exec: ['sh', '-c', 'test "$(id -u)" != 0 && test -O "$HOME"'] } as const;
    const health = { check, every: 1_000, timeout: 5_000, threshold: 1, readyWithin: 5_000 };
    await stage.supervisor.start([stage.sh('m', 'exec sleep 100', { sandbox: 'standard', health })]);
    assert.is(stage.status('m').state, ROOT ? 'ready' : 'running');
  }),
);

for (const level of LEVELS) {
  sandbox(`${level}: loader variables reach the module but not its wrappers`, () =>
    withSupervisor(ELSEWHERE, async stage => {
      const env = { LD_PRELOAD: '/no/such/library.so', PS4: 'x', OTHER: 'as ever' };
      const script = 'echo "$LD_PRELOAD $PS4 $OTHER"';
      const limits = { pids: 50 };
      assert.equal(await said(stage, script, { sandbox: level, env, limits }), [
        '/no/such/library.so x as ever',
      ]);
      const complaints = (): number => stage.logged('m').split('cannot be preloaded').length - 1;
      await until('the loader has complained', () => complaints() > 0);
      assert.is(complaints(), 1, stage.logged('m'));
    }),
  );
}

sandbox('a correct private folder is not written, because its disk may be read-only', () =>
  withSupervisor(ELSEWHERE, async stage => {
    const own = join(stage.folder, 'data/modules/m');
    await said(stage, 'true', { user: 'dynamic', sandbox: 'standard' });
    const before = [own, dirname(own)].map(folder => statSync(folder).ctimeMs);
    await stage.supervisor.restart('m');
    await until('it has ended again', () => stage.status('m').state === 'ended');
    assert.equal(
      [own, dirname(own)].map(folder => statSync(folder).ctimeMs),
      before,
    );
  }),
);

sandbox("a user that is nobody else's is not whose folder another module has left", async () => {
  if (!ROOT) return skip('only root starts programs as another user');
  let usual = 0;
  await withSupervisor(ELSEWHERE, async stage => {
    usual = Number((await said(stage, 'id -u', { user: 'dynamic' }))[0]);
  });
  await withSupervisor(ELSEWHERE, async stage => {
    const left = join(stage.folder, 'data/modules/left');
    mkdirSync(left, { recursive: true });
    chownSync(left, usual, usual);
    const [uid] = await said(stage, 'id -u', { user: 'dynamic' });
    const { first, last } = dynamicRange();
    assert.is(Number(uid), usual === last ? first : usual + 1);
    assert.is(statSync(left).uid, usual);
  });
});

sandbox.run();
