import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { outage } from './outage.ts';

const away = suite('e2e: the parent hub is away under load');

away('every acknowledged message arrives upstream, in order', async () => {
  const { acknowledged, lost, outOfOrder } = await outage({ seconds: 3, killHub: false });
  assert.ok(acknowledged > 500, `only ${acknowledged} were acknowledged`);
  assert.equal({ lost, outOfOrder }, { lost: 0, outOfOrder: 0 });
});

away('the same when the hub is killed with SIGKILL meanwhile', async () => {
  const { acknowledged, lost, outOfOrder } = await outage({ seconds: 3, killHub: true });
  assert.ok(acknowledged > 500, `only ${acknowledged} were acknowledged`);
  assert.equal({ lost, outOfOrder }, { lost: 0, outOfOrder: 0 });
});

away.run();
