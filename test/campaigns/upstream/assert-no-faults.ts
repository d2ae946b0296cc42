import { randomInt } from 'node:crypto';
import * as assert from 'uvu/assert';
import type { CampaignSettings } from './campaign.ts';
import { campaign } from './campaign.ts';

/** Settings of a campaign that is short enough for `npm test`. */
export const SMALL = {
  messages: 2_000,
  seconds: 4,
  hubKills: 3,
  worst: 'killed',
  exactlyOnce: false,
  chain: ['edge'],
  window: 20,
  upstream: {},
} as const;

/** Runs a campaign with a random seed and asserts that it has no fault. */
export async function assertNoFaults(settings: Omit<CampaignSettings, 'seed'>): Promise<void> {
  const seed = randomInt(1_000_000);
  const report = await campaign({ ...settings, seed });
  if (report === undefined) {
    process.stdout.write(`skipped: ${settings.kind} is not installed\n`);
    return;
  }
  const details = `seed ${seed}: ${JSON.stringify(report)}`;
  assert.is(report.acknowledged, settings.messages, details);
  const { hubKills, cuts, storms } = report.faultCounts;
  assert.is(sumOf(hubKills), settings.hubKills, details);
  assert.ok(sumOf(cuts) + sumOf(storms) > 0, details);
  assert.equal(report.faults, [], details);
  for (const { lost, outOfOrder, foreign, repeated } of Object.values(report.comparisons)) {
    assert.equal({ lost, outOfOrder, foreign }, { lost: 0, outOfOrder: 0, foreign: 0 }, details);
    if (report.once) assert.is(repeated, 0, details);
  }
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, one) => sum + one, 0);
}
