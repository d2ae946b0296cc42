import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../src/core/version.ts';
import { dist, makeReleaseFiles } from './release-files.ts';
import { releaseNotes } from './release-notes.ts';
import { runScript } from './run-script.ts';
import { sourceTime } from './source-time.ts';

/*
 * npm run release
 *
 * Makes in dist/ all files of a release: binaries, packages and bills of materials of both architectures,
 * SHA256SUMS, its signature by the minisign key in the file that $SKERRY_MINISIGN_KEY names, and the notes.
 */
runScript('release', dist, () => {
  const key = process.env['SKERRY_MINISIGN_KEY'];
  if (key === undefined)
    throw new Error('SKERRY_MINISIGN_KEY is not set: name the file of the minisign key.');
  const notes = releaseNotes();
  const names = makeReleaseFiles(['x64', 'arm64'], sourceTime());
  const args = ['-S', '-s', key, '-t', `skerry ${VERSION}`, '-m', join(dist, 'SHA256SUMS')];
  execFileSync('minisign', args, { stdio: ['inherit', 'ignore', 'inherit'] });
  writeFileSync(join(dist, 'NOTES.md'), notes);
  return [...names, 'SHA256SUMS.minisig', 'NOTES.md'];
});
