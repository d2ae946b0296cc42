import { randomInt } from 'node:crypto';
import type { CampaignSettings } from './campaign.ts';
import { campaign } from './campaign.ts';

/*
 * npm run upstream: sends 100,000 messages through a hub that is killed 25 times to each real broker, which
 * is stopped, killed and disconnected at random.
 *   node test/campaigns/upstream/run.ts [CASE|all] [MESSAGES] [SECONDS] [SEED]
 */
const PLAIN = {
  hubKills: 25,
  worst: 'killed',
  exactlyOnce: false,
  chain: ['edge'],
  window: 20,
  upstream: {},
} as const;

type Case = Omit<CampaignSettings, 'messages' | 'seconds' | 'seed'>;

const CASES: Readonly<Record<string, Case>> = {
  mosquitto: { ...PLAIN, kind: 'mosquitto' },
  rabbitmq: { ...PLAIN, kind: 'rabbitmq' },
  nats: { ...PLAIN, kind: 'nats' },
  skerry: { ...PLAIN, kind: 'skerry' },
  chain: { ...PLAIN, kind: 'skerry', chain: ['edge', 'parent'] },
  'mosquitto-exact': { ...PLAIN, kind: 'mosquitto', exactlyOnce: true, worst: 'stopped' },
  'skerry-exact': { ...PLAIN, kind: 'skerry', exactlyOnce: true, upstream: { profile: 'skerry' } },
  'chain-exact': {
    ...PLAIN,
    kind: 'skerry',
    exactlyOnce: true,
    chain: ['edge', 'parent'],
    upstream: { profile: 'skerry' },
  },
  'mosquitto-alone': {
    ...PLAIN,
    kind: 'mosquitto',
    exactlyOnce: true,
    worst: 'stopped',
    hubKills: 0,
    chain: [],
  },
  // With the window of a hub, and with a window of 1.
  'nats-alone': { ...PLAIN, kind: 'nats', hubKills: 0, chain: [], window: 64 },
  'nats-alone-1': { ...PLAIN, kind: 'nats', hubKills: 0, chain: [], window: 1 },
  'rabbitmq-exact': { ...PLAIN, kind: 'rabbitmq', exactlyOnce: true },
  'nats-exact': { ...PLAIN, kind: 'nats', exactlyOnce: true, upstream: { window: 1 } },
};

const [wanted = 'all', messages = '100000', seconds = '120', given] = process.argv.slice(2);
const seed = Number(given ?? randomInt(1_000_000));
for (const [name, one] of Object.entries(CASES)) {
  if (wanted !== 'all' && wanted !== name) continue;
  const began = performance.now();
  const report = await campaign({ ...one, messages: Number(messages), seconds: Number(seconds), seed });
  if (report === undefined) {
    process.stdout.write(`${name}: skipped, it is not installed\n`);
    continue;
  }
  const { acknowledged, faultCounts, comparisons, faults, once } = report;
  const took = ((performance.now() - began) / 1000).toFixed(0);
  process.stdout.write(
    `${name}, seed ${seed}: ${acknowledged} acknowledged, ${took} s; ${words(faultCounts)}\n`,
  );
  for (const [who, comparison] of Object.entries(comparisons)) {
    process.stdout.write(`  ${who}: ${words(comparison)}\n`);
    const { lost, outOfOrder, foreign, repeated } = comparison;
    if (lost + outOfOrder + foreign > 0 || (once && repeated > 0)) process.exitCode = 1;
  }
  for (const fault of faults) process.stdout.write(`  ${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}

/** Text of a count, or of the counts of each hub or network. */
function words(counts: Readonly<Record<string, number | readonly number[]>>): string {
  return Object.entries(counts)
    .map(([what, count]) => `${what} ${typeof count === 'number' ? count : count.join(' + ')}`)
    .join(', ');
}
