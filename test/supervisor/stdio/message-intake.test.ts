import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createGauge } from '../../../src/core/capacity/pressure.ts';
import { Failure } from '../../../src/core/errors.ts';
import {
  LINE_WARNING_INTERVAL_MS,
  MAX_PENDING_LINE_BYTES,
  MAX_PENDING_LINES,
} from '../../../src/supervisor/limits.ts';
import { createTestClock } from '../../harness/clock.ts';
import type { Received } from '../../harness/supervisor.ts';
import { pidIn, stableNumberIn, until, withSupervisor } from '../../harness/supervisor.ts';

const test = suite('supervisor: intake of lines');

test('long lines of a module that are not yet stored cause back-pressure on its output', async () => {
  const unsettled: Received[] = [];
  const options = { line: (received: Received) => unsettled.push(received) };
  await withSupervisor(options, async ({ supervisor, sh, status, folder }) => {
    const length = MAX_PENDING_LINE_BYTES / 4;
    const line = `head -c ${length} /dev/zero; echo`;
    await supervisor.start([sh('a', `for i in 1 2 3 4 5 6 7 8 9 10; do ${line}; echo $i > printed; done`)]);
    await until('the host has all it takes', () => unsettled.length === 4);
    assert.ok((await stableNumberIn(join(folder, 'printed'))) < 7);
    assert.is(unsettled.length, 4);
    let settled = 0;
    await until('all lines came', () => {
      for (const { settle } of unsettled.splice(0)) {
        settle();
        settled += 1;
      }
      return settled === 10;
    });
    await until('it has ended', () => status('a').state === 'ended');
  });
});

test('`countInput` is called with the number of all bytes that a module prints', async () => {
  let counted = 0;
  const countInput = (bytes: number): void => {
    counted += bytes;
  };
  await withSupervisor({ countInput }, async ({ supervisor, sh, status }) => {
    await supervisor.start([sh('a', 'echo 12345; head -c 100000 /dev/zero; echo 123 >&2')]);
    await until('it has ended', () => status('a').state === 'ended');
    assert.is(counted, 6 + 100_000 + 4);
  });
});

test('back-pressure of the store pauses the output of all modules, and no line is lost', async () => {
  const gauge = createGauge(1);
  const script = `i=0; while [ $i -lt 100 ]; do echo ${'x'.repeat(1_000)}; i=$((i+1)); done; exec sleep 1000`;
  let left = 200;
  const line = ({ settle }: Received): void => {
    left -= 1;
    if (left > 0) gauge.set(1);
    settle();
  };
  await withSupervisor({ line, pressure: gauge }, async ({ supervisor, sh, lines, folder }) => {
    await supervisor.start([sh('a', script), sh('b', script), sh('c', 'echo $$ > pid', { io: 'mqtt' })]);
    await until('a line has come', () => lines.length > 0);
    await pidIn(folder, 'pid');
    await supervisor.restart('c');
    assert.is(lines.length, 1);
    await until('all have come', () => {
      gauge.set(0);
      return left === 0;
    });
  });
});

test('warnings of rejected lines are rate-limited and count the suppressed warnings', async () => {
  const clock = createTestClock();
  const refuse = ({ line, settle }: Received): void =>
    settle(line.toString() === 'good' ? undefined : new Failure('line.refused', `"x" is ${line}.`));
  await withSupervisor({ clock, line: refuse }, async ({ supervisor, sh, status, log, folder }) => {
    await supervisor.start([
      sh('a', 'for i in 1 2 3 4; do echo $i; echo good; done; mkfifo on; read go < on; echo 5'),
    ]);
    await until('four are refused', () => status('a').refusedLines === 4);
    clock.advance(LINE_WARNING_INTERVAL_MS);
    await until('the module waits', () => existsSync(join(folder, 'on')));
    writeFileSync(join(folder, 'on'), 'go\n');
    await until('it has ended', () => status('a').state === 'ended');
    assert.equal(
      log.filter(text => text.includes('was dropped')),
      [
        'warn: A line of module "a" was dropped: "x" is 1.',
        'warn: A line of module "a" was dropped: "x" is 5. (3 similar messages suppressed)',
      ],
    );
  });
});

test('lines that are rejected for the same reason are counted and logged once', async () => {
  const refuse = ({ settle }: Received) => settle(new Error('The store is full.'));
  await withSupervisor({ line: refuse }, async ({ supervisor, sh, status, log }) => {
    await supervisor.start([sh('a', 'echo 1; echo 2; echo 3')]);
    await until('it has ended', () => status('a').state === 'ended');
    assert.is(status('a').refusedLines, 3);
    assert.is(log.filter(text => text.includes('The store is full')).length, 1);
  });
});

test('lines that a full store rejects are retried in order, and their module blocks meanwhile', async () => {
  const clock = createTestClock();
  const offered: string[] = [];
  let full = true;
  const line = ({ line: text, settle }: Received): void => {
    offered.push(text.toString());
    settle(full ? new Failure('store.full', 'The store is full.') : undefined);
  };
  await withSupervisor({ clock, line }, async ({ supervisor, sh, status }) => {
    await supervisor.start([sh('a', 'seq 1 2000')]);
    await until('the first is refused', () => offered.length > 0);
    clock.advance(10_000);
    const refused = new Set(offered);
    assert.ok(refused.size <= MAX_PENDING_LINES, `${refused.size} were read`);
    full = false;
    offered.length = 0;
    clock.advance(10_000);
    await until('it has ended', () => {
      clock.advance(100);
      return status('a').state === 'ended';
    });
    assert.equal(
      offered,
      Array.from({ length: 2000 }, (_, index) => String(index + 1)),
    );
  });
});

test.run();
