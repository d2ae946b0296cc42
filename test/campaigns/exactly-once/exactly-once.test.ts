import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exactlyOnce } from './exactly-once.ts';

const NOTHING_WRONG = { lost: 0, twice: 0, outOfOrder: 0, faults: [] };

const once = suite('e2e: exactly once');

once('QoS 2 over ten SIGKILLs of the hub: every message once, in order, at every subscriber', async () => {
  const { published, ...rest } = await exactlyOnce({ kills: 10, clean: false });
  assert.equal(rest, { ...NOTHING_WRONG, kills: 10 });
  assert.ok(published > 20);
});

once('what has its PUBREC arrives once also if its publisher has no session to send it again', async () => {
  const { published, ...rest } = await exactlyOnce({ kills: 4, clean: true });
  assert.equal(rest, { ...NOTHING_WRONG, kills: 4 });
  assert.ok(published > 8);
});

once.run();
