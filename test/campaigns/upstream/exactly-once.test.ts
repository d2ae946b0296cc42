import { suite } from 'uvu';
import { holds, SMALL } from './holds.ts';

const campaigns = suite('upstream: hubs are killed, brokers and networks fail, and nothing arrives twice');

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
