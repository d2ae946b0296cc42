import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hostileCampaign } from './campaign.ts';

const hostile = suite('hostile peers');

/**
 * The machine that runs the tests is busy: the stall is bounded by the long run, and here only by what would
 * be a hang.
 */
const STALL_MS = 10_000;

hostile(
  'whatever peers, modules and files do at once, the hub goes on and loses nothing of an honest client',
  async () => {
    const { faults, published } = await hostileCampaign(8, 20, STALL_MS);
    assert.equal(faults, []);
    assert.ok(published > 20);
  },
);

hostile.run();
