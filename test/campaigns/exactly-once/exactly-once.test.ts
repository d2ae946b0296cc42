import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exactlyOnce } from './exactly-once.ts';

const NOTHING_WRONG = { lost: 0, twice: 0, outOfOrder: 0, faults: [] };

const once = suite('campaign: QoS 2 over SIGKILLs');

once(
  'every QoS 2 message arrives once and in order at every subscriber over ten SIGKILLs of the hub',
  async () => {
    const { published, ...rest } = await exactlyOnce({ kills: 10, clean: false });
    assert.equal(rest, { ...NOTHING_WRONG, kills: 10 });
    assert.ok(published > 20);
  },
);

once(
  'a QoS 2 message answered with PUBREC is delivered once although the hub is killed, also from a clean session',
  async () => {
    const { published, ...rest } = await exactlyOnce({ kills: 4, clean: true });
    assert.equal(rest, { ...NOTHING_WRONG, kills: 4 });
    assert.ok(published > 8);
  },
);

once.run();
