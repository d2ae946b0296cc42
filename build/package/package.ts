import { dist, makeReleaseFiles } from './release-files.ts';
import { runScript } from './run-script.ts';
import { sourceTime } from './source-time.ts';

/*
 * npm run package [-- x64|arm64...]
 *
 * Builds the binary of each named architecture, or of this machine if none is named. Makes in dist/ the
 * Debian package, the archive for other systems, and SHA256SUMS of all files of a release.
 */
const named = process.argv.slice(2);
runScript('package', dist, () => makeReleaseFiles(named.length > 0 ? named : [process.arch], sourceTime()));
