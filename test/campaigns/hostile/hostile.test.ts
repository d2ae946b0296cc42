import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hostileCampaign } from './campaign.ts';

const hostile = suite('campaign: hostile peers');

/**
 * Maximum milliseconds of a message. Large, because the machine is busy during tests: only the long campaign
 * has the real limit.
 */
const STALL_MS = 10_000;

hostile(
  'a hub with hostile clients, modules and files loses no message of a well-behaved client',
  async () => {
    const { faults, published } = await hostileCampaign(8, 20, STALL_MS);
    assert.equal(faults, []);
    assert.ok(published > 20);
  },
);

hostile.run();
