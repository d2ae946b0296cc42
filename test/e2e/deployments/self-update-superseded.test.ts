import { existsSync, globSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { UpdatableDevice } from '../../campaigns/self-update/self-update.ts';
import {
  assertRefused,
  compileFakeHub,
  createUpdatableDevice,
  EXITS,
  HANGS,
  hubWithVersion,
} from '../../campaigns/self-update/self-update.ts';
import { moduleStates } from '../../campaigns/self-update/self-update-kills.ts';
import { until } from '../../harness/binary.ts';
import { skip } from '../../harness/skip.ts';

/** Architecture of this machine, a field name of the manifest. */
const arch = process.arch;

const update = suite<{ device: UpdatableDevice }>('e2e: superseded self-update', {
  device: await createUpdatableDevice(),
});
update.before.each(async context => {
  await context.device.close();
  context.device = await createUpdatableDevice();
});
update.after(({ device }) => device.close());

/** Target of a link. Undefined if it has disappeared meanwhile. */
function linkOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

update(
  'a newer manifest that arrives during the copy of a new hub binary cancels the self-update',
  async ({ device }) => {
    const hub = await device.start();
    const more = { hub: { [arch]: device.hub('one', hubWithVersion(8)) } };
    const first = device.command('apply', device.manifest('new', more));
    await until('it is begun', () => existsSync(join(device.data, 'hub', 'a', 'skerry.part')));
    const second = await device.command('apply', device.manifest('newer'));
    assert.equal([second.code, second.err], [0, '']);
    assertRefused(await first, 1, /^skerry: Another manifest replaced this one/);
    await hub.end();
    await device.start();
    const now = await device.status();
    assert.equal([now.hub.binary, now.hub.onTrial, moduleStates(now)], ['base', false, ['newer running']]);
  },
);

update(
  'a newer manifest is applied without waiting for a new hub binary that hangs on trial',
  async ({ device }) => {
    const bytes = compileFakeHub(device.folder, 'mute', EXITS, HANGS);
    if (bytes === undefined) return skip('gcc is not installed, which compiles a hub that does not answer');
    const hub = await device.start();
    const draft = join(device.data, 'hub', 'a', 'skerry.part');
    const asked = (): boolean => globSync('/proc/[0-9]*/exe').some(link => linkOf(link) === draft);
    const first = device.command(
      'apply',
      device.manifest('new', { hub: { [arch]: device.hub('mute', bytes) } }),
    );
    await until('it is asked for its version', asked);
    const began = performance.now();
    const second = await device.command('apply', device.manifest('newer'));
    const took = performance.now() - began;
    assert.equal([second.code, second.err], [0, ''], hub.log());
    // A hub that does not answer is given a minute. A loaded machine needs seconds for the rest.
    assert.ok(took < 20_000, `${took} ms`);
    assertRefused(await first, 1, /^skerry: Another manifest replaced this one/);
    await until('nothing of it is left', () => !asked() && !existsSync(draft));
    const now = await device.status();
    assert.equal([now.hub.binary, now.hub.onTrial, moduleStates(now)], ['base', false, ['newer running']]);
  },
);

update.run();
