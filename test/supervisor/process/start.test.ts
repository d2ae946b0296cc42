import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleSpec } from '../../../src/supervisor/spec.ts';
import { isRunning, pidIn, until, withSupervisor, writeScript } from '../../harness/supervisor.ts';

const test = suite('supervisor: start');

test('a module that cannot be started has the state failed and the reason, and the other modules run', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status, folder }) => {
    writeScript(folder, 'plain.sh', '#!/bin/sh\n', 0o644);
    writeScript(folder, 'lost.sh', '#!/no/such/interpreter\n', 0o755);
    mkdirSync(join(folder, 'folder'));
    const faults: readonly (readonly [string, Partial<ModuleSpec>, RegExp])[] = [
      ['empty', { exec: [] }, /^"exec" is empty/],
      [
        'missing',
        { exec: ['./none.sh'] },
        /^No such file or directory \(ENOENT\): .*none\.sh\. Correct the path/,
      ],
      ['beneath', { exec: ['./plain.sh/x'] }, /^No such file or directory \(ENOTDIR\): .*x\./],
      ['plain', { exec: ['./plain.sh'] }, /plain\.sh is not executable \(EACCES\)\. Run chmod \+x/],
      ['folder', { exec: ['./folder'] }, /is not a regular file/],
      ['unfound', { exec: ['no-such-program'] }, /^Command not found: no-such-program is not in PATH/],
      [
        'lost',
        { exec: ['./lost.sh'] },
        /lost\.sh names an interpreter in its first line that does not exist/,
      ],
      ['nowhere', { cwd: join(folder, 'nowhere') }, /Working folder .*nowhere does not exist/],
    ];
    const specs = faults.map(([name, more]) => sh(name, 'sleep 100', { restart: 'always', ...more }));
    await supervisor.start([...specs, sh('fine', 'sleep 100')]);
    for (const [name, , reason] of faults) {
      assert.is(status(name).state, 'failed', name);
      assert.match(status(name).lastExit ?? '', reason);
      assert.is(status(name).pid, undefined);
    }
    assert.is(status('fine').state, 'running');
  });
});

test('the OOM killer kills a module before the hub, whether the module has pipes or a terminal', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status }) => {
    await supervisor.start([sh('plain', 'sleep 100'), sh('top', 'sleep 100', { tty: true })]);
    for (const name of ['plain', 'top'])
      assert.is(readFileSync(`/proc/${status(name).pid}/oom_score_adj`, 'latin1'), '1000\n');
  });
});

test('a start request runs a failed module after the cause of the failure is fixed', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status, folder }) => {
    await supervisor.start([sh('late', '', { exec: ['./late.sh'] })]);
    writeScript(folder, 'late.sh', '#!/bin/sh\nsleep 100\n', 0o755);
    await supervisor.startModule('late');
    assert.is(status('late').state, 'running');
  });
});

test('modules start in startup order, and modules with the same startupOrder start together', async () => {
  await withSupervisor({}, async ({ supervisor, sh, changes }) => {
    const specs = [
      sh('last', 'sleep 100', { startupOrder: 2 }),
      sh('one', 'sleep 100', { startupOrder: 1 }),
      sh('other', 'sleep 100', { startupOrder: 1 }),
      sh('first', 'sleep 100', { startupOrder: -1 }),
    ];
    await supervisor.start(specs);
    assert.equal(changes, [
      'first starting',
      'first running',
      'one starting',
      'other starting',
      'one running',
      'other running',
      'last starting',
      'last running',
    ]);
  });
});

test("a module inherits only PATH, HOME and LANG from the hub's environment", async () => {
  process.env['SKERRY_TEST_SECRET'] = 'leaked';
  await withSupervisor({}, async ({ supervisor, sh, texts, status }) => {
    await supervisor.start([sh('env', 'env', { env: { LEVEL: 'info', PATH: '/usr/bin:/bin' } })]);
    await until('it has ended', () => status('env').state === 'ended');
    const names = texts().map(line => line.split('=')[0]);
    const foreign = names.filter(
      name => !['PATH', 'HOME', 'LANG', 'LEVEL', 'SKERRY_RUN', 'PWD'].includes(name ?? ''),
    );
    assert.equal(foreign, []);
    assert.ok(texts().includes('LEVEL=info'));
    assert.ok(texts().includes('PATH=/usr/bin:/bin'));
  });
  delete process.env['SKERRY_TEST_SECRET'];
});

test('a module runs in its working folder and leads its own process group', async () => {
  await withSupervisor({}, async ({ supervisor, sh, texts, status, folder }) => {
    await supervisor.start([sh('where', 'pwd; cut -d" " -f5,6 /proc/$$/stat; sleep 100')]);
    await until('it has printed both lines', () => texts().length === 2);
    const { pid } = status('where');
    assert.equal(texts(), [folder, `${pid} ${pid}`]);
  });
});

test('the arguments in "exec" are not interpreted by a shell', async () => {
  await withSupervisor({}, async ({ supervisor, sh, texts, status }) => {
    await supervisor.start([sh('echo', '', { exec: ['echo', '$HOME; echo *', 'b c'] })]);
    await until('it has ended', () => status('echo').state === 'ended');
    assert.equal(texts(), ['$HOME; echo * b c']);
  });
});

test('a terminal that cannot be opened is a start error, not an exception', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status, logged }) => {
    await supervisor.start([sh('top', 'echo hello; sleep 100', { tty: true }), sh('fine', 'sleep 100')]);
    assert.is(status('fine').state, 'running');
    // The native part of node-pty may be missing on this machine.
    if (status('top').state === 'failed')
      assert.match(status('top').lastExit ?? '', /^Cannot open a terminal/);
    else await until('its output is in the log', () => / tty hello$/m.test(logged('top')));
  });
});

test('the supervisor refuses to start if its run folder cannot be created', async () => {
  await withSupervisor({}, async ({ supervisor, sh, runFolder }) => {
    writeFileSync(runFolder, 'a file');
    try {
      await supervisor.start([sh('a', 'sleep 100')]);
      assert.unreachable();
    } catch (error) {
      assert.is(error instanceof Error && 'code' in error && error.code, 'data.unwritable');
    }
  });
});

test('a request for an unknown module name is refused with module.unknown', async () => {
  await withSupervisor({}, async ({ supervisor }) => {
    await supervisor.start([]);
    for (const ask of [supervisor.restart, supervisor.startModule, supervisor.stopModule]) {
      const refused = await ask('nobody').catch((error: unknown) => error);
      assert.is(refused instanceof Error && 'code' in refused && refused.code, 'module.unknown');
    }
    assert.throws(() => supervisor.write('nobody', Buffer.from('x'), () => {}), /Unknown module "nobody"/);
  });
});

test('an internal error before the start of a module fails only this module, and its start is retried', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status, folder }) => {
    const cwd = join(folder, 'loop');
    symlinkSync('loop', cwd);
    await supervisor.start([
      sh('a', 'sleep 100', { cwd }),
      sh('b', 'sleep 100', { cwd, restart: 'always' }),
      sh('fine', 'sleep 100'),
    ]);
    for (const name of ['a', 'b']) assert.match(status(name).lastExit ?? '', /^Internal error: .*ELOOP/);
    assert.equal(
      supervisor.statuses().map(({ state }) => state),
      ['failed', 'waiting', 'running'],
    );
  });
});

test('an internal error after the start of a module kills the module, not the hub', async () => {
  const writable = (): void => {
    throw new Error('no queue');
  };
  await withSupervisor({ writable }, async ({ supervisor, sh, status, log, folder }) => {
    const script = '(setsid sh -c "echo \\$\\$ > daemon; exec sleep 100" &); echo $$ > pid; sleep 100';
    await supervisor.start([sh('a', script), sh('fine', 'sleep 100', { io: 'mqtt' })]);
    await until('it has failed', () => status('a').state === 'failed');
    assert.is(status('a').lastExit, 'SIGKILL');
    assert.ok(log.includes('error: Module "a" is killed because of an internal error: no queue.'));
    assert.is(status('fine').state, 'running');
    assert.is(status('a').pid, undefined);
    for (const file of ['pid', 'daemon'].filter(one => existsSync(join(folder, one))))
      assert.not.ok(isRunning(await pidIn(folder, file)));
  });
});

test.run();
