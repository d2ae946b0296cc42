import { randomInt } from 'node:crypto';
import * as assert from 'uvu/assert';
import type { CampaignSettings } from './campaign.ts';
import { campaign } from './campaign.ts';

/** As much as fits into `npm test`. */
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

/** Plays a campaign with a seed of its own, and holds that nothing is wrong. */
export async function holds(settings: Omit<CampaignSettings, 'seed'>): Promise<void> {
  const seed = randomInt(1_000_000);
  const report = await campaign({ ...settings, seed });
  if (report === undefined) {
    process.stdout.write(`skipped: ${settings.kind} is not installed\n`);
    return;
  }
  const told = `seed ${seed}: ${JSON.stringify(report)}`;
  assert.is(report.acknowledged, settings.messages, told);
  const { hubKills, cuts, storms } = report.misfortunes;
  assert.is(sumOf(hubKills), settings.hubKills, told);
  assert.ok(sumOf(cuts) + sumOf(storms) > 0, told);
  assert.equal(report.faults, [], told);
  for (const { lost, outOfOrder, foreign, repeated } of Object.values(report.verdicts)) {
    assert.equal({ lost, outOfOrder, foreign }, { lost: 0, outOfOrder: 0, foreign: 0 }, told);
    if (report.once) assert.is(repeated, 0, told);
  }
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, one) => sum + one, 0);
}
