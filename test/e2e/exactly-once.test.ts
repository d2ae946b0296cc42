import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exactlyOnce } from './exactly-once.ts';

const once = suite('e2e: exactly once');

once('QoS 2 over 25 SIGKILLs of the hub: every message once, in order, at every subscriber', async () => {
  const { published, ...rest } = await exactlyOnce(25);
  assert.equal(rest, { lost: 0, twice: 0, outOfOrder: 0, kills: 25, faults: [] });
  assert.ok(published > 500);
});

once.run();
