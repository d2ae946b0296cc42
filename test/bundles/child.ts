import { readFileSync } from 'node:fs';
import { createBundleStore } from '../../src/bundles/store.ts';
import { logFor } from '../../src/core/log.ts';
import { createTestClock } from '../harness/clock.ts';

/*
 * node child.ts FOLDER ARCHIVE SHA256 [collect]
 *
 * Prepares one bundle in a process of its own, which can be killed, be another user, or be measured. Prints
 * what it has done.
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
// The system's own peak of the process also counts what its parent held when it began.
if (then === 'measure') {
  process.stdout.write(`${/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}\n`);
}
