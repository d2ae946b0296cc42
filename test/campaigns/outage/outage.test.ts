import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { outage } from './outage.ts';

const away = suite('campaign: outage of the parent hub under load');

away('every acknowledged message arrives upstream in order after an outage of the parent', async () => {
  const { acknowledged, lost, outOfOrder } = await outage({ seconds: 3, killHub: false });
  assert.ok(acknowledged > 500, `only ${acknowledged} were acknowledged`);
  assert.equal({ lost, outOfOrder }, { lost: 0, outOfOrder: 0 });
});

away(
  'every acknowledged message arrives upstream in order if the hub is killed during the outage',
  async () => {
    const { acknowledged, lost, outOfOrder } = await outage({ seconds: 3, killHub: true });
    assert.ok(acknowledged > 500, `only ${acknowledged} were acknowledged`);
    assert.equal({ lost, outOfOrder }, { lost: 0, outOfOrder: 0 });
  },
);

away.run();
