import { readdirSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, removeFolder, run } from '../../harness/binary.ts';

const bench = suite('e2e: skerry bench');

/** Parsed output of `skerry bench --json` with these options. */
function measure(
  folder: string,
  ...options: readonly string[]
): {
  flush: { flushes: number; medianMs: number; p99Ms: number; maxMs: number };
  store: { sizeBytes: number; commitWindowMs: number; messagesPerSecond: number };
  wear: { rate: number; writtenBytesPerDay: number; bytesPerPayloadByte: number; years: number };
} {
  const { code, out, err } = run(['bench', '--json', '--seconds', '0.2', '--data', folder, ...options]);
  assert.equal([code, err], [0, '']);
  return JSON.parse(out);
}

bench('`skerry bench` measures flushes, durable messages and wear, and leaves no file', () => {
  const folder = folderWith({});
  const { flush, store, wear } = measure(folder, '--rate', '10', '--endurance', '1T');
  assert.ok(flush.flushes > 0 && flush.medianMs > 0);
  assert.ok(flush.medianMs <= flush.p99Ms && flush.p99Ms <= flush.maxMs);
  assert.equal([store.sizeBytes, store.commitWindowMs], [256, 50]);
  assert.ok(store.messagesPerSecond > 0);
  // Each commit of one message writes at least a block of 4 KB, which is 16 times its 256 bytes.
  assert.ok(wear.bytesPerPayloadByte >= 16, String(wear.bytesPerPayloadByte));
  const years = 2 ** 40 / wear.writtenBytesPerDay / 365.25;
  assert.ok(Math.abs(wear.years / years - 1) < 0.01);
  assert.equal(readdirSync(folder), []);
  removeFolder(folder);
});

bench('messages that share a commit wear the disk less', () => {
  const folder = folderWith({});
  const [slow, fast] = [measure(folder, '--rate', '1'), measure(folder, '--rate', '1000')];
  assert.ok(fast.wear.bytesPerPayloadByte < slow.wear.bytesPerPayloadByte / 2);
  removeFolder(folder);
});

bench('`skerry bench` prints a table, and refuses options out of range and a missing folder', () => {
  const folder = folderWith({});
  const { code, out } = run(['bench', '--seconds', '0.1', '--data', folder]);
  assert.is(code, 0);
  for (const subject of ['disk', 'store', 'memory', 'wear'])
    assert.match(out, new RegExp(`^${subject} `, 'm'));
  for (const [option, value] of [
    ['--rate', '0'],
    ['--rate', 'x'],
    ['--size', '1M'],
    ['--seconds', '601'],
    ['--endurance', 'long'],
  ] as const) {
    const refused = run(['bench', '--data', folder, option, value]);
    assert.is(refused.code, 2);
    assert.match(refused.err, new RegExp(`^skerry: ${option} must be `));
  }
  const missing = run(['bench', '--data', `${folder}/none`]);
  assert.is(missing.code, 1);
  assert.match(missing.err, /none cannot be written \(ENOENT/);
  writeFileSync(`${folder}/keep`, 'data');
  assert.is(run(['bench', '--seconds', '0.1', '--json', '--data', folder]).code, 0);
  assert.equal(readdirSync(folder), ['keep']);
  removeFolder(folder);
});

bench.run();
