import { releaseNotes } from './release-notes.ts';

/*
 * npm run --silent notes
 *
 * Prints the release notes of this version.
 */
try {
  process.stdout.write(releaseNotes());
} catch (thrown) {
  process.stderr.write(`notes: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
