import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { logFor } from '../../../src/core/log.ts';
import { MAX_LOG_FILE_BYTES, MAX_OLD_LOG_FILES } from '../../../src/supervisor/limits.ts';
import { createLogFile } from '../../../src/supervisor/logs/log-file.ts';
import { createTestClock } from '../../harness/clock.ts';
import { openFiles, until } from '../../harness/supervisor.ts';

const silent = logFor('test', () => {});

const test = suite<{ folder: string }>('supervisor: log file');

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'skerry-log-'));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

test('a line in the log file of a module has its wall time, its stream and unchanged bytes', async ({
  folder,
}) => {
  const clock = createTestClock(Date.UTC(2026, 4, 6, 7, 8, 9));
  const path = join(folder, 'logs', 'a.log');
  const file = createLogFile(path, clock, silent, () => {});
  file.sink('err').write(Buffer.from('first'));
  clock.advance(250);
  file.sink('out').write(Buffer.from([0xff, 0x00]));
  await file.close();
  const expected = [
    Buffer.from('2026-05-06T07:08:09.000Z err first\n2026-05-06T07:08:09.250Z out '),
    Buffer.from([0xff, 0x00, 0x0a]),
  ];
  assert.equal(readFileSync(path), Buffer.concat(expected));
});

test('lines of a module are appended to an existing log file', async ({ folder }) => {
  const path = join(folder, 'a.log');
  for (const text of ['one', 'two']) {
    const file = createLogFile(path, createTestClock(), silent, () => {});
    file.sink('err').write(Buffer.from(text));
    await file.close();
  }
  assert.match(readFileSync(path, 'utf8'), /err one\n.* err two\n$/);
});

test('a flood of log lines stays within the maximum size of the rotated files', async ({ folder }) => {
  let room = 0;
  let waits = 0;
  const path = join(folder, 'a.log');
  const before = openFiles();
  const file = createLogFile(path, createTestClock(), silent, () => {
    room += 1;
  });
  const sink = file.sink('err');
  const padding = 'x'.repeat(1_000);
  const count = Math.ceil((MAX_LOG_FILE_BYTES * (MAX_OLD_LOG_FILES + 3)) / 1_000);
  for (let line = 0; line < count; line += 1) {
    if (!sink.ready()) {
      waits += 1;
      const seen = room;
      await until('there is room again', () => room > seen);
    }
    sink.write(Buffer.from(`${line} ${padding}`));
  }
  await file.close();
  assert.ok(waits > (count * padding.length) / (1 << 18), 'the unwritten bytes are bounded');
  const files = readdirSync(folder).sort();
  assert.equal(files, ['a.log', 'a.log.1', 'a.log.2', 'a.log.3']);
  for (const name of files) assert.ok(statSync(join(folder, name)).size <= MAX_LOG_FILE_BYTES);
  const kept = files.reverse().flatMap(name => readFileSync(join(folder, name), 'utf8').trim().split('\n'));
  const numbers = kept.map(line => Number(/err (\d+) x{1000}$/.exec(line)?.[1]));
  assert.is(numbers.at(-1), count - 1);
  assert.equal(
    numbers,
    numbers.map((_, index) => count - numbers.length + index),
  );
  assert.ok(numbers.length > (MAX_OLD_LOG_FILES * MAX_LOG_FILE_BYTES * 0.9) / 1_050);
  assert.is(openFiles(), before);
});

test('lines for a log file that cannot be written are dropped with one warning, until writing works again', async ({
  folder,
}) => {
  const warnings: string[] = [];
  let room = 0;
  const path = join(folder, 'a.log');
  mkdirSync(path);
  const log = logFor('test', (_level, _room, text) => warnings.push(text));
  const file = createLogFile(path, createTestClock(), log, () => {
    room += 1;
  });
  for (const attempt of [1, 2]) {
    file.sink('err').write(Buffer.from('lost'));
    await until('the batch was tried', () => room === attempt);
  }
  assert.is(file.lost(), 2);
  assert.is(warnings.length, 1);
  rmSync(path, { recursive: true });
  file.sink('err').write(Buffer.from('kept'));
  await file.close();
  assert.match(readFileSync(path, 'utf8'), /err kept\n$/);
  assert.is(file.lost(), 2);
});

test.run();
