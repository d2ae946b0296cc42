/**
 * Hub process that a test kills. It starts the given scripts as modules, prints `started` and waits.
 */
import { join } from 'node:path';
import { logFor } from '../../../src/core/log.ts';
import { createSupervisor } from '../../../src/supervisor/supervisor.ts';
import { createRealClock, shellModule } from '../../harness/supervisor.ts';

const [folder = '', runFolder = '', ...scripts] = process.argv.slice(2);
const supervisor = createSupervisor({
  clock: createRealClock(),
  log: logFor('supervisor', () => {}),
  logFolder: folder,
  runFolder,
  ownFolders: join(folder, 'modules'),
  hiddenFolder: join(folder, 'hidden'),
  host: { line: (_module, _line, settle) => settle(), changed: () => {} },
});
await supervisor.killOrphans();
await supervisor.start(scripts.map((script, index) => shellModule(`m${index}`, folder, script)));
process.stdout.write('started\n');
setInterval(() => {}, 1_000);
