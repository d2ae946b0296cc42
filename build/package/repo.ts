import { join } from 'node:path';
import { dist } from './release-files.ts';
import { makeRepository } from './repository.ts';
import { runScript } from './run-script.ts';
import { sourceTime } from './source-time.ts';

/*
 * npm run repo
 *
 * Makes a static apt repository in dist/apt from the Debian packages in dist/. Signs it with the GPG key that
 * $SKERRY_APT_KEY names. Any web server can offer the folder.
 */
const output = join(dist, 'apt');
runScript('repo', join(output, 'pool'), () => {
  const key = process.env['SKERRY_APT_KEY'];
  if (key === undefined) throw new Error('SKERRY_APT_KEY is not set: name the GPG key of the repository.');
  return makeRepository({ packages: dist, output, key, seconds: sourceTime() });
});
