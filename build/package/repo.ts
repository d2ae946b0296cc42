import { join } from 'node:path';
import { dist } from './release-files.ts';
import { makeRepository } from './repository.ts';
import { runScript } from './run-script.ts';
import { sourceTime } from './source-time.ts';

/*
 * npm run repo
 *
 * Makes a static apt repository in dist/apt from the Debian packages in dist/, signed with the GPG key that
 * $SKERRY_APT_KEY names. Any web server can offer the folder.
 */
const output = join(dist, 'apt');
runScript('repo', join(output, 'pool'), () =>
  makeRepository({ packages: dist, output, key: process.env['SKERRY_APT_KEY'], seconds: sourceTime() }),
);
