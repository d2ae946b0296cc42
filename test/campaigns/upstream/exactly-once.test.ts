import { suite } from 'uvu';
import { assertNoFaults, SMALL } from './assert-no-faults.ts';

const campaigns = suite('campaign: exactlyOnce upstream under faults');

campaigns(
  'mosquitto receives every exactlyOnce message once although mosquitto, the hub and the network fail',
  () => assertNoFaults({ ...SMALL, kind: 'mosquitto', worst: 'stopped', exactlyOnce: true }),
);

campaigns(
  'a chain of three hubs with exactlyOnce delivers every message once although each hub is killed',
  () =>
    assertNoFaults({
      ...SMALL,
      kind: 'skerry',
      exactlyOnce: true,
      chain: ['edge', 'parent'],
      upstream: { profile: 'skerry' },
    }),
);

campaigns.run();
