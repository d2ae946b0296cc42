import { randomInt } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bodyOf, judge } from './campaign/judge.ts';
import type { CampaignSettings } from './campaign.ts';
import { campaign } from './campaign.ts';

const SMALL = {
  messages: 3_000,
  seconds: 6,
  hubKills: 5,
  worst: 'killed',
  exactlyOnce: false,
  chain: ['edge'],
  upstream: {},
} as const;

/** Plays a campaign with a seed of its own, and holds that nothing is wrong. */
async function holds(settings: Omit<CampaignSettings, 'seed'>): Promise<void> {
  const seed = randomInt(1_000_000);
  const report = await campaign({ ...settings, seed });
  if (report === undefined) {
    process.stdout.write(`skipped: ${settings.kind} is not installed\n`);
    return;
  }
  const told = `seed ${seed}: ${JSON.stringify(report)}`;
  assert.is(report.acknowledged, settings.messages, told);
  assert.is(report.misfortunes.hubKills, settings.hubKills, told);
  assert.ok(report.misfortunes.cuts + report.misfortunes.storms > 0, told);
  assert.equal(report.faults, [], told);
  for (const { lost, outOfOrder, foreign, repeated } of Object.values(report.verdicts)) {
    assert.equal({ lost, outOfOrder, foreign }, { lost: 0, outOfOrder: 0, foreign: 0 }, told);
    if (settings.exactlyOnce) assert.is(repeated, 0, told);
  }
}

const campaigns = suite('upstream: hubs are killed, brokers and networks fail, and nothing is lost');

campaigns('the judge finds what is lost, repeated, out of order and nobody’s', () => {
  const published = new Map([
    ['a', 4],
    ['b', 1],
  ]);
  const came = [bodyOf('a', 1), bodyOf('a', 3), bodyOf('a', 2), bodyOf('a', 3), bodyOf('b', 2), 'a 4'];
  assert.equal(judge(published, came), { lost: 2, repeated: 1, outOfOrder: 1, foreign: 2 });
  assert.equal(judge(new Map([['b', 1]]), [bodyOf('b', 1)]), {
    lost: 0,
    repeated: 0,
    outOfOrder: 0,
    foreign: 0,
  });
});

campaigns('mosquitto: all arrives in order, though it and the hub are killed', () =>
  holds({ ...SMALL, kind: 'mosquitto' }),
);

campaigns(
  'RabbitMQ: all arrives in order and is in its durable queue, though it and the hub are killed',
  () => holds({ ...SMALL, kind: 'rabbitmq' }),
);

campaigns(
  'three NATS servers: all arrives in order and is in the stream, though nodes and the hub are killed',
  () => holds({ ...SMALL, kind: 'nats' }),
);

campaigns('mosquitto, exactly once: nothing arrives twice', () =>
  holds({ ...SMALL, kind: 'mosquitto', worst: 'stopped', exactlyOnce: true }),
);

campaigns('edge to parent to grandparent, exactly once: all hubs are killed, all arrives once', () =>
  holds({
    ...SMALL,
    kind: 'skerry',
    exactlyOnce: true,
    chain: ['edge', 'parent'],
    upstream: { profile: 'skerry' },
  }),
);

campaigns.run();
