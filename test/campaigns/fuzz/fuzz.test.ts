import { randomInt } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { campaign, growthFaults } from './campaign.ts';

const PACKETS = 100_000;

/**
 * Maximum growth of the anonymous memory of a hub in bytes. The code is compiled then, and bounded tables
 * begin to fill.
 */
const BOUND = 64 << 20;

const fuzz = suite('campaign: fuzzing of the broker');

fuzz('mutated packets close the connection of their sender and do not affect other clients', async () => {
  const seed = randomInt(1 << 30);
  const { packets, connections, closes, published, memory, faults } = await campaign(PACKETS, seed, () => {});
  assert.equal(faults, [], `node test/campaigns/fuzz/run.ts ${PACKETS} ${seed}`);
  assert.equal(growthFaults(memory.start, memory.end, BOUND), []);
  assert.ok(packets >= PACKETS && connections > 100 && published > 10);
  assert.ok(closes.length > 20, 'mutations of many kinds were detected');
});

fuzz.run();
