import { appendFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_OLD_LOG_FILES } from '../../../src/supervisor/limits.ts';
import type { LogReader } from '../../../src/supervisor/logs/log-reader.ts';
import { openLogReader } from '../../../src/supervisor/logs/log-reader.ts';
import { openFiles } from '../../harness/supervisor.ts';

const test = suite<{ folder: string; path: string }>('supervisor: log reader');

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'skerry-logreader-'));
  context.path = join(context.folder, 'a.log');
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

function rotate(path: string): void {
  for (let age = MAX_OLD_LOG_FILES; age > 0; age -= 1) {
    const from = age === 1 ? path : `${path}.${age - 1}`;
    if (existsSync(from)) renameSync(from, `${path}.${age}`);
  }
}

function linesOf(reader: LogReader): string[] {
  const lines: string[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) lines.push(line.toString());
  return lines;
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.stringMatching(/^[a-z]{0,12}$/).map(text => ({ text })) },
  fc.constant('rotate' as const),
  fc.constant('read' as const),
);

test('the log reader returns each line once and in order across rotations', ({ folder }) => {
  let run = 0;
  const before = openFiles();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      run += 1;
      const path = join(folder, `${run}.log`);
      const reader = openLogReader(path);
      const written: string[] = [];
      const read: string[] = [];
      let rotations = 0;
      for (const one of steps) {
        if (one === 'read') {
          read.push(...linesOf(reader));
          rotations = 0;
        } else if (one === 'rotate') {
          // Lines of a deleted file that were not read are lost, so the test rotates less often.
          if (rotations < MAX_OLD_LOG_FILES && existsSync(path)) rotate(path);
          rotations += 1;
        } else {
          appendFileSync(path, `${one.text}\n`);
          written.push(one.text);
        }
      }
      read.push(...linesOf(reader));
      reader.close();
      assert.equal(read, written);
    }),
  );
  assert.is(openFiles(), before);
});

test('the log reader returns the last lines also across rotated files', ({ folder }) => {
  let run = 0;
  const files = fc.array(fc.array(fc.stringMatching(/^[a-z]{0,9}$/), { maxLength: 8 }), { maxLength: 4 });
  fc.assert(
    fc.property(files, fc.nat(20), (contents, last) => {
      run += 1;
      const path = join(folder, `${run}.log`);
      for (const lines of contents) {
        rotate(path);
        appendFileSync(path, lines.map(line => `${line}\n`).join(''));
      }
      const reader = openLogReader(path, last);
      const all = contents.flat();
      assert.equal(linesOf(reader), last === 0 ? [] : all.slice(-last));
      reader.close();
    }),
  );
});

test('the log reader returns the last lines of a log of more than one chunk', ({ path }) => {
  const lines = Array.from({ length: 300 }, (_, index) => `${index} ${'x'.repeat(1_000)}`);
  appendFileSync(path, `${lines.join('\n')}\n`);
  for (const last of [1, 100, 299, 300, 301]) {
    const reader = openLogReader(path, last);
    assert.equal(linesOf(reader), lines.slice(-last));
    reader.close();
  }
});

test('the log reader returns a partial line only once the line is complete', ({ path }) => {
  appendFileSync(path, 'one\ntw');
  const reader = openLogReader(path);
  assert.equal(linesOf(reader), ['one']);
  appendFileSync(path, 'o\nthr');
  assert.equal(linesOf(reader), ['two']);
  rotate(path);
  appendFileSync(path, 'four\n');
  assert.equal(linesOf(reader), ['thr', 'four']);
  reader.close();
});

test('the log reader returns no line of a missing log file and reads the file once it exists', ({ path }) => {
  const reader = openLogReader(path);
  assert.equal(linesOf(reader), []);
  appendFileSync(path, 'one\n');
  assert.equal(linesOf(reader), ['one']);
  reader.close();
});

test.run();
