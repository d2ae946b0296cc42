import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../src/core/version.ts';
import { notesOf } from './release-notes.ts';

/*
 * npm run --silent notes
 *
 * Prints the release notes of this version.
 */
try {
  const changelog = readFileSync(join(import.meta.dirname, '../../CHANGELOG.md'), 'utf8');
  process.stdout.write(notesOf(changelog, VERSION));
} catch (thrown) {
  process.stderr.write(`notes: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
