import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_PACKET_BYTES } from '../../../src/core/limits.ts';
import { MAX_LOG_FILE_BYTES, MAX_LOG_LINE_BYTES, MAX_PENDING_LINES } from '../../../src/supervisor/limits.ts';
import { createTestClock } from '../../harness/clock.ts';
import type { Received } from '../../harness/supervisor.ts';
import { isRunning, pidIn, stableNumberIn, until, withSupervisor } from '../../harness/supervisor.ts';

const MEGABYTE = 1 << 20;

const test = suite('supervisor: standard output');

test('all lines of a module arrive in order, also a last line without newline', async () => {
  await withSupervisor({}, async ({ supervisor, sh, texts, status, changes }) => {
    const script = 'printf "pa"; sleep 0.05; printf "rtial\\nwin\\r\\n\\n"; printf "last"';
    await supervisor.start([sh('a', script)]);
    await until('it has ended', () => status('a').state === 'ended');
    assert.equal(texts(), ['partial', 'win', '', 'last']);
    assert.is(changes.at(-1), 'a ended');
  });
});

test('a line of a module with bytes that are not UTF-8 arrives unchanged', async () => {
  await withSupervisor({}, async ({ supervisor, sh, lines, status }) => {
    await supervisor.start([sh('a', "printf '\\377\\376\\303\\n\\000\\200\\n'")]);
    await until('it has ended', () => status('a').state === 'ended');
    assert.equal(
      lines.map(({ line }) => [...line]),
      [
        [0xff, 0xfe, 0xc3],
        [0x00, 0x80],
      ],
    );
  });
});

test('a line above the maximum packet size is dropped and logged, and the next line arrives', async () => {
  await withSupervisor({}, async ({ supervisor, sh, lines, status, log }) => {
    const zeros = (count: number): string => `head -c ${count} /dev/zero; echo`;
    const script = [MAX_PACKET_BYTES, MAX_PACKET_BYTES + 1, MAX_PACKET_BYTES * 3].map(zeros).join('; ');
    await supervisor.start([sh('a', `${script}; echo next; ${zeros(MAX_PACKET_BYTES * 2)}`)]);
    await until('it has ended', () => status('a').state === 'ended');
    assert.equal(
      lines.map(({ line }) => line.length),
      [MAX_PACKET_BYTES, 4],
    );
    assert.is(status('a').refusedLines, 3);
    assert.equal(
      log.filter(text => text.includes('maximum packet size')),
      [
        `warn: A line of module "a" was dropped: it exceeds the maximum packet size of ${MAX_PACKET_BYTES} bytes. Print shorter lines.`,
      ],
    );
  });
});

test('a log line above the maximum length is truncated and counted', async () => {
  await withSupervisor({}, async ({ supervisor, sh, logged, status }) => {
    await supervisor.start([
      sh('a', `head -c ${MAX_LOG_LINE_BYTES * 3} /dev/zero >&2; echo >&2; echo next >&2`),
    ]);
    await until('it has ended', () => status('a').state === 'ended');
    await supervisor.stop();
    const [first = '', second] = logged('a').split('\n');
    assert.is(first.length, `${new Date(0).toISOString()} err `.length + MAX_LOG_LINE_BYTES);
    assert.ok(second?.endsWith(' err next'));
    assert.is(status('a').cutLines, 1);
  });
});

test('all output of a module is delivered before the exit of the module is reported', async () => {
  const count = 20_000;
  const script = `i=0; while [ $i -lt ${count} ]; do echo $i; i=$((i+1)); done; exit 3`;
  await withSupervisor({}, async ({ supervisor, sh, texts, status }) => {
    await supervisor.start([sh('a', script)]);
    await until('it has failed', () => status('a').state === 'failed');
    assert.equal(
      texts(),
      Array.from({ length: count }, (_, index) => `${index}`),
    );
    assert.is(status('a').lastExit, 'exit 3');
  });
});

test('a module blocks while none of its lines are stored, and no line is lost', async () => {
  const unsettled: Received[] = [];
  const line = 'x'.repeat(1_000);
  const count = 1_500;
  const script = `i=0; while [ $i -lt ${count} ]; do echo ${line}; i=$((i+1)); echo $i > printed; done`;
  const options = { line: (received: Received) => unsettled.push(received) };
  await withSupervisor(options, async ({ supervisor, sh, status, folder }) => {
    await supervisor.start([sh('a', script)]);
    await until('the host has all it takes', () => unsettled.length === MAX_PENDING_LINES);
    const printed = await stableNumberIn(join(folder, 'printed'));
    assert.ok(printed > MAX_PENDING_LINES && printed * line.length < MEGABYTE, `${printed} lines`);
    assert.is(unsettled.length, MAX_PENDING_LINES);
    assert.is(status('a').state, 'running');
    let settled = 0;
    await until('all lines came', () => {
      for (const { settle } of unsettled.splice(0)) {
        settle();
        settled += 1;
      }
      return settled === count;
    });
    await until('it has ended', () => status('a').state === 'ended');
  });
});

test('the exit of a module is not reported before its lines are stored or rejected', async () => {
  const unsettled: Received[] = [];
  const count = MAX_PENDING_LINES + 100;
  const options = { line: (received: Received) => unsettled.push(received) };
  await withSupervisor(options, async ({ supervisor, sh, status, texts }) => {
    // All lines arrive in one chunk, directly before the end of the stream.
    await supervisor.start([sh('a', `exec seq ${count}`), sh('other', 'sleep 100', { io: 'mqtt' })]);
    const { pid } = status('a');
    await until('its process has ended', () => pid !== undefined && !isRunning(pid));
    await until('the host has lines', () => unsettled.length > 0);
    await supervisor.restart('other');
    assert.is(unsettled.length, MAX_PENDING_LINES);
    assert.is(status('a').state, 'running');
    for (const { settle } of unsettled) settle();
    await until('it has ended', () => status('a').state === 'ended');
    assert.equal(
      texts(),
      Array.from({ length: count }, (_, index) => `${index + 1}`),
    );
  });
});

test('lines that are never stored delay the exit report of their module only up to a time limit', async () => {
  const clock = createTestClock();
  await withSupervisor({ clock, line: () => {} }, async ({ supervisor, sh, status, log, lines }) => {
    await supervisor.start([sh('a', 'exec seq 1000')]);
    const { pid } = status('a');
    await until('its process has ended', () => pid !== undefined && !isRunning(pid));
    await until('the host has all it takes', () => lines.length === MAX_PENDING_LINES);
    await until('it has ended', () => {
      clock.advance(100);
      return status('a').state === 'ended';
    });
    assert.ok(clock.monotonic() >= 30_000);
    assert.is(clock.pending(), 0);
    assert.ok(log.some(text => text.startsWith('warn: Module "a" exited, but')));
  });
});

test('a detached child that keeps the output of a module open delays the exit report only up to a time limit', async () => {
  const clock = createTestClock();
  await withSupervisor({ clock }, async ({ supervisor, sh, status, texts, folder }) => {
    await supervisor.start([
      sh('a', 'env -i setsid sh -c "echo \\$\\$ > pid; exec sleep 100" & sleep 0.1; printf bye'),
    ]);
    const daemon = await pidIn(folder, 'pid');
    const { pid } = status('a');
    await until('its process has ended', () => pid !== undefined && !isRunning(pid));
    assert.is(status('a').state, 'running');
    await until('it has ended', () => {
      clock.advance(100);
      return status('a').state === 'ended';
    });
    process.kill(daemon, 'SIGKILL');
    assert.equal(texts(), ['bye']);
    assert.is(clock.pending(), 0);
  });
});

test('standard error of a module is written to its log, and with io mqtt also its standard output', async () => {
  await withSupervisor({}, async ({ supervisor, sh, logged, texts, status }) => {
    const script = 'echo loud; echo quiet >&2; printf torn >&2; cat';
    await supervisor.start([sh('a', script, { io: 'mqtt' }), sh('b', 'echo loud; echo quiet >&2')]);
    await until('both have ended', () => status('a').state === 'ended' && status('b').state === 'ended');
    await supervisor.stop();
    assert.match(logged('a'), /^\S+Z out loud$/m);
    assert.match(logged('a'), /^\S+Z err quiet\n\S+Z err torn$/m);
    assert.match(logged('b'), /^\S+Z err quiet\n$/);
    assert.equal(texts(), ['loud']);
  });
});

test('every line of a module that floods its log is written to the log file', async () => {
  const script = `yes ${'x'.repeat(500)} | head -c ${20 * MEGABYTE} >&2`;
  await withSupervisor({}, async ({ supervisor, sh, status, folder }) => {
    await supervisor.start([sh('a', script)]);
    await until('it has ended', () => status('a').state === 'ended');
    await supervisor.stop();
    const sizes = readdirSync(join(folder, 'logs')).map(name => statSync(join(folder, 'logs', name)).size);
    assert.is(sizes.length, 4);
    assert.ok(sizes.every(size => size <= MAX_LOG_FILE_BYTES));
    assert.is(status('a').lostLogLines, 0);
  });
});

test.run();
