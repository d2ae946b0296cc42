import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assertNoFaults, SMALL } from './assert-no-faults.ts';
import { bodyOf, compare } from './comparison.ts';

const campaigns = suite('campaign: upstream under faults');

campaigns('the check of received messages reports lost, repeated, misordered and unexpected messages', () => {
  const published = new Map([
    ['a', 4],
    ['b', 1],
  ]);
  const received = [bodyOf('a', 1), bodyOf('a', 3), bodyOf('a', 2), bodyOf('a', 3), bodyOf('b', 2), 'a 4'];
  assert.equal(compare(published, received), { lost: 2, repeated: 1, outOfOrder: 1, foreign: 2 });
  assert.equal(compare(new Map([['b', 1]]), [bodyOf('b', 1)]), {
    lost: 0,
    repeated: 0,
    outOfOrder: 0,
    foreign: 0,
  });
});

campaigns('mosquitto receives every message in order although mosquitto and the hub are killed', () =>
  assertNoFaults({ ...SMALL, kind: 'mosquitto' }),
);

campaigns(
  'RabbitMQ receives and stores every message in order although RabbitMQ and the hub are killed',
  () => assertNoFaults({ ...SMALL, kind: 'rabbitmq' }),
);

campaigns.run();
