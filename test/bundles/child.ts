import { readFileSync } from 'node:fs';
import { createBundleStore } from '../../src/bundles/store.ts';
import { logFor } from '../../src/core/log.ts';
import { createTestClock } from '../harness/clock.ts';

/*
 * Usage: node child.ts FOLDER ARCHIVE SHA256 [collect|measure]
 *
 * Unpacks one bundle in a separate process, which a test can kill, run as another user or measure. Prints a
 * line for each completed step.
 */
const [folder = '', path = '', sha256 = '', then] = process.argv.slice(2);
const log = logFor('bundles', (_, __, text) => process.stderr.write(`${text}\n`));
const store = await createBundleStore({ folder, clock: createTestClock(), log });
const wanted = { subject: 'modules.m.bundle', sha256, source: { path }, size: 1 << 28, files: 20_000 };
await store.fetchBundles([wanted], new AbortController().signal);
process.stdout.write('prepared\n');
if (then === 'collect') {
  await store.removeUnused(new Set());
  process.stdout.write('collected\n');
}
// The peak in the resource usage of the process would include the memory of its parent.
if (then === 'measure') {
  process.stdout.write(`${/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}\n`);
}
