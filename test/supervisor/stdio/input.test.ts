import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pidIn, until, withSupervisor } from '../../harness/supervisor.ts';

const test = suite('supervisor: standard input');

/** Records the result of each write by the number of the line: `written` or the error. */
function createResults() {
  const results = new Map<number, string>();
  return {
    results,
    record: (line: number) => (error?: Error) => {
      assert.not(results.has(line), 'the callback is called once');
      results.set(line, error?.message ?? 'written');
    },
    refused: () => [...results.values()].filter(text => text !== 'written').length,
  };
}

test('lines for the standard input of a module are written completely and in order, and each is confirmed', async () => {
  const { results, record } = createResults();
  await withSupervisor({}, async ({ supervisor, sh, texts, writable }) => {
    await supervisor.start([sh('a', 'while IFS= read -r line; do printf "got %s\\n" "$line"; done')]);
    assert.equal(writable, ['a']);
    const lines = ['one', '', 'three \\n "x"', 'ünï'];
    for (const [index, line] of lines.entries()) {
      assert.ok(supervisor.write('a', Buffer.from(line), record(index)));
    }
    assert.is(results.size, 0, 'never before write returns');
    await until('all are answered', () => texts().length === lines.length);
    assert.equal(
      texts(),
      lines.map(line => `got ${line}`),
    );
    assert.equal(
      [...results.values()],
      lines.map(() => 'written'),
    );
  });
});

test('a line longer than the pipe buffer is written completely to the module', async () => {
  const { results, record } = createResults();
  await withSupervisor({}, async ({ supervisor, sh, texts }) => {
    await supervisor.start([sh('a', 'head -n 1 | wc -c')]);
    supervisor.write('a', Buffer.alloc(1 << 20, 0xff), record(0));
    await until('it was counted', () => texts().length === 1);
    assert.is(Number(texts()[0]), (1 << 20) + 1);
    assert.is(results.get(0), 'written');
  });
});

test('a module that does not read its input is not writable until the module reads again', async () => {
  const { results, record } = createResults();
  await withSupervisor({}, async ({ supervisor, sh, writable, folder, lines }) => {
    await supervisor.start([
      sh('a', 'trap go=1 USR1; echo $$ > pid; while [ -z "$go" ]; do sleep 0.05; done; exec cat'),
    ]);
    const pid = await pidIn(folder, 'pid');
    const line = Buffer.alloc(10_000, 'x');
    let count = 1;
    while (supervisor.write('a', line, record(count))) {
      count += 1;
      await new Promise(resolve => setImmediate(resolve));
    }
    assert.ok(count * line.length < 1 << 20, `${count} lines`);
    assert.ok(results.size < count);
    assert.equal(writable, ['a']);
    process.kill(pid, 'SIGUSR1');
    await until('it takes lines again', () => writable.length === 2);
    await until('all came back', () => lines.length === count);
    assert.ok([...results.values()].every(text => text === 'written'));
  });
});

test('each line that is not written before the module exits is reported as failed exactly once', async () => {
  const { results, record, refused } = createResults();
  await withSupervisor({}, async ({ supervisor, sh }) => {
    await supervisor.start([sh('a', 'sleep 100')]);
    for (let count = 0; count < 100; count += 1)
      supervisor.write('a', Buffer.alloc(10_000, 'x'), record(count));
    await supervisor.stopModule('a');
    await until('all results are known', () => results.size === 100);
    assert.ok(refused() > 50);
    assert.match(results.get(99) ?? '', /Cannot write a line to module "a"/);
  });
});

test('writes to a module that has closed its input fail, and the module keeps running', async () => {
  const { results, record, refused } = createResults();
  await withSupervisor({}, async ({ supervisor, sh, status, texts }) => {
    await supervisor.start([sh('a', 'exec 0<&-; echo closed; sleep 100')]);
    await until('it has closed its input', () => texts().length === 1);
    for (const line of [0, 1, 2]) {
      supervisor.write('a', Buffer.from('x'), record(line));
      await until('the result is known', () => results.has(line));
    }
    assert.is(refused(), 3);
    assert.is(supervisor.write('a', Buffer.from('x'), record(3)), false);
    assert.is(status('a').state, 'running');
  });
});

test('writes to a stopped module or to a module with io mqtt fail', async () => {
  const { results, record, refused } = createResults();
  await withSupervisor({}, async ({ supervisor, sh, writable }) => {
    await supervisor.start([sh('a', 'sleep 100'), sh('b', 'sleep 100', { io: 'mqtt' })]);
    await supervisor.stopModule('a');
    assert.is(supervisor.write('a', Buffer.from('x'), record(0)), false);
    assert.is(supervisor.write('b', Buffer.from('x'), record(1)), false);
    assert.is(results.size, 0, 'never before write returns');
    await until('both results are known', () => results.size === 2);
    assert.is(refused(), 2);
    assert.match(results.get(0) ?? '', /the module is stopped/);
    await supervisor.startModule('a');
    assert.equal(writable, ['a', 'a']);
  });
});

test('a module that is stopping is not reported as writable', async () => {
  await withSupervisor({}, async ({ supervisor, sh, writable, texts, status, folder }) => {
    const trap = `trap 'head -c $(cat total) > /dev/null; echo read' TERM`;
    const script = `${trap}; echo up; while :; do sleep 0.01; done`;
    await supervisor.start([sh('a', script, { stopGrace: 500 })]);
    await until('it is up', () => texts().includes('up'));
    const line = Buffer.alloc(10_000, 'x');
    let total = line.length + 1;
    while (supervisor.write('a', line, () => {})) total += line.length + 1;
    writeFileSync(join(folder, 'total'), String(total));
    writable.length = 0;
    await supervisor.stopModule('a');
    assert.ok(texts().includes('read'));
    assert.equal(writable, []);
    assert.is(status('a').state, 'stopped');
  });
});

test('a module that is stopped before it runs is not reported as writable', async () => {
  await withSupervisor({}, async ({ supervisor, sh, writable, changes }) => {
    await supervisor.start([sh('a', 'exec sleep 100')]);
    await supervisor.stopModule('a');
    writable.length = 0;
    changes.length = 0;
    await Promise.all([supervisor.startModule('a'), supervisor.stopModule('a')]);
    assert.equal(changes, ['a starting', 'a stopping', 'a stopped']);
    assert.equal(writable, []);
  });
});

test.run();
