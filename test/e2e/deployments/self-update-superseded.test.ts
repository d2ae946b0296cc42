import { existsSync, globSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Site } from '../../campaigns/self-update/self-update.ts';
import {
  createSite,
  ENDS,
  HANGS,
  nextHub,
  pretender,
  refused,
} from '../../campaigns/self-update/self-update.ts';
import { namesOf } from '../../campaigns/self-update/self-update-kills.ts';
import { until } from '../../harness/binary.ts';
import { skip } from '../../harness/skip.ts';

/** A field name of the manifest for this machine. */
const arch = process.arch;

const update = suite<{ site: Site }>('e2e: an update that a newer manifest overtakes', {
  site: await createSite(),
});
update.before.each(async context => {
  await context.site.close();
  context.site = await createSite();
});
update.after(({ site }) => site.close());

/** Target of a link. Undefined if it has disappeared meanwhile. */
function linkOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

update('a newer manifest, while the new hub is brought here, has the old one go on', async ({ site }) => {
  const hub = await site.start();
  const more = { hub: { [arch]: site.hub('one', nextHub(8)) } };
  const first = site.command('apply', site.manifest('new', more));
  await until('it is begun', () => existsSync(join(site.data, 'hub', 'a', 'skerry.part')));
  const second = await site.command('apply', site.manifest('newer'));
  assert.equal([second.code, second.err], [0, '']);
  refused(await first, 1, /^skerry: Another manifest replaced this one/);
  await hub.end();
  await site.start();
  const now = await site.seen();
  assert.equal([now.hub.binary, now.hub.onTrial, namesOf(now)], ['base', false, ['newer running']]);
});

update('a newer manifest does not wait for a new hub that does not answer', async ({ site }) => {
  const bytes = pretender(site.folder, 'mute', ENDS, HANGS);
  if (bytes === undefined) return skip('there is no gcc to make a hub that does not answer.');
  const hub = await site.start();
  const draft = join(site.data, 'hub', 'a', 'skerry.part');
  const asked = (): boolean => globSync('/proc/[0-9]*/exe').some(link => linkOf(link) === draft);
  const first = site.command('apply', site.manifest('new', { hub: { [arch]: site.hub('mute', bytes) } }));
  await until('it is asked for its version', asked);
  const began = performance.now();
  const second = await site.command('apply', site.manifest('newer'));
  const took = performance.now() - began;
  assert.equal([second.code, second.err], [0, ''], hub.log());
  assert.ok(took < 5000, `${took} ms`);
  refused(await first, 1, /^skerry: Another manifest replaced this one/);
  await until('nothing of it is left', () => !asked() && !existsSync(draft));
  const now = await site.seen();
  assert.equal([now.hub.binary, now.hub.onTrial, namesOf(now)], ['base', false, ['newer running']]);
});

update.run();
